"""--seed N replays one sequence of the model-based test, and tells what it does."""


def pytest_addoption(parser):
    parser.addoption("--seed", type=int, help="the one sequence to run, as a failure has printed it")
