# SPDX-License-Identifier: Apache-2.0
"""Which tests may run side by side: python3 -m pytest -n 3 --dist loadgroup tools/tests

A module runs as a whole in one process, since its tests may share a daemon or a browser. Most have everything of their own:
ports, folders, daemons. Those that use queues of the same two brokers, or sleep by the machine's one ration of pings, share a lane and run
one after another. The longest begin first, so that none of them is waited for at the end.
"""

import pytest

BESIDE_BROKERS = (
    "test_secrets", "test_guides", "test_bus_pinger_terminal", "test_bus_pinger_bundle", "test_desk_guide", "test_foreign",
    "test_bus_pinger", "test_dashboard_in_trouble",
)
LONGEST_FIRST = ("test_dashboard", *BESIDE_BROKERS, "test_control_hostile", "test_control_api", "test_telling", "test_json_contract")


# xdist reads the groups in its own hook of this name: a group that is named after that is none, and two tests of one lane then run at once.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    def rank(item):
        name = item.module.__name__
        return LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=rank)
    for item in items:
        name = item.module.__name__
        item.add_marker(pytest.mark.xdist_group("beside brokers" if name in BESIDE_BROKERS else name))
