from flask import Flask
from tests.api import Api
from tests.threads import until
from stockroom.outbox.relay import relay
from stockroom.webhooks import jobs
from tests.webhooks.receivers import Receiver
from tests.factories.products import make_product

def test_smoke(sender_app: Flask, manager: Api, receiver: Receiver) -> None:
    made = manager.post("/webhooks", json={"url": receiver.url, "events": ["product.*"]})
    assert made.status_code == 201, made.text
    print(made.get_json(), made.headers)
    hook = made.get_json()
    make_product(sender_app)
    with sender_app.app_context():
        relay()
        jobs.deliver()
    until(lambda: receiver.received)
    print(receiver.received)
    print(receiver.received[0].verify(hook["secret"]))
    path = f"/webhooks/{hook['id']}/deliveries"
    until(lambda: manager.get(path).get_json()["items"][0]["state"] == "delivered")
    d = manager.get(path+"?count=true").get_json()["items"][0]
    print(manager.get(path+"/"+d["id"]).get_json())
    t = manager.post(f"/webhooks/{hook['id']}/test")
    print(t.get_json())
    assert t.status_code == 202
    with sender_app.app_context():
        relay()
        jobs.deliver()
    until(lambda: len(receiver.received) == 2)
    r = manager.post(path+"/"+d["id"]+"/redeliver")
    assert r.status_code == 202
    with sender_app.app_context():
        jobs.deliver()
    until(lambda: len(receiver.received) == 3)
    assert receiver.ids[0] == receiver.ids[2]
    res = sender_app.test_cli_runner().invoke(args=["webhooks", "test", hook["id"]])
    print(res.output)
    assert res.exit_code == 0
    assert 0
