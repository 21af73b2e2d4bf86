from tests.api import Api, assert_problem
from tests.factories.products import product_body


def test_staff_create_a_product_that_everyone_can_read(staff: Api, nobody: Api) -> None:
    created = staff.post("/products", json=product_body(sku="MUG-1", price=12.5))
    assert created.status_code == 201
    read = nobody.get(created.headers["Location"])
    assert read.get_json() == created.get_json()
    assert read.get_json()["price"] == "12.50"


def test_a_customer_cannot_create_a_product(customer: Api) -> None:
    assert_problem(customer.post("/products", json=product_body()), 403, "permission-denied")
