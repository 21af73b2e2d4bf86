"""Work is rows: jobs that drain them, what wakes a job, and the engines that turn the crank."""
