"""Declarations of the commands of a cluster. There is none here, so none has a function."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from shmcache.commands import spec
from shmcache.commands.containers import container
from shmcache.commands.spec import block, integer, one_of, string, token

if TYPE_CHECKING:
    from shmcache.commands.spec import Argument, Command

__all__ = ["COMMANDS"]

_cluster = partial(spec.command, group="cluster")

_ASK = "stale"
_ASK_ADMIN = "admin stale"
_CHANGE = "admin stale no_async_loading"
_VARYING = "nondeterministic_output"
_NODES_COST = "O(N), N being the number of nodes."
_SLOTS_COST = "O(N), N being the number of slots."

_slots = integer("slot", multiple=True)
_node = string("node-id")
_ranges = block("start-slot_end-slot", integer("start-slot"), integer("end-slot"), multiple=True)


def _change(
    name: str,
    arity: int,
    summary: str,
    *arguments: Argument,
    cost: str = "O(1)",
    since: str = "3.0.0",
    tips: str = "",
) -> Command:
    return _cluster(
        f"cluster|{name}",
        arity,
        _CHANGE,
        summary,
        since=since,
        complexity=cost,
        tips=tips,
        arguments=arguments,
    )


def _ask(
    name: str,
    arity: int,
    summary: str,
    *arguments: Argument,
    flags: str = _ASK,
    cost: str = "O(1)",
    since: str = "3.0.0",
    tips: str = _VARYING,
) -> Command:
    return _cluster(
        f"cluster|{name}",
        arity,
        flags,
        summary,
        since=since,
        complexity=cost,
        tips=tips,
        arguments=arguments,
    )


_SUBCOMMANDS = (
    _change("addslots", -3, "Gives slots to the node.", _slots, cost=_SLOTS_COST),
    _change(
        "addslotsrange",
        -4,
        "Gives ranges of slots to the node.",
        _ranges,
        cost=_SLOTS_COST,
        since="7.0.0",
    ),
    _change("bumpepoch", 2, "Raises the configuration's epoch.", tips=_VARYING),
    _ask(
        "count-failure-reports",
        3,
        "Returns how many nodes report a node as failing.",
        _node,
        flags=_ASK_ADMIN,
        cost="O(N), N being the number of reports.",
    ),
    _ask("countkeysinslot", 3, "Returns how many keys a slot has.", integer("slot"), tips=""),
    _change("delslots", -3, "Takes slots away from the node.", _slots, cost=_SLOTS_COST),
    _change(
        "delslotsrange",
        -4,
        "Takes ranges of slots away from the node.",
        _ranges,
        cost=_SLOTS_COST,
        since="7.0.0",
    ),
    _change(
        "failover",
        -2,
        "Lets a replica take its master's place.",
        one_of("options", token("FORCE"), token("TAKEOVER"), optional=True),
    ),
    _change("flushslots", 2, "Takes all slots away from the node."),
    _change("forget", 3, "Removes a node from the table of nodes.", _node),
    _ask(
        "getkeysinslot",
        4,
        "Returns keys of a slot.",
        integer("slot"),
        integer("count"),
        cost="O(log(N)), N being the number of keys asked for.",
    ),
    _ask("info", 2, "Describes the cluster's state."),
    _ask(
        "keyslot",
        3,
        "Returns a key's slot.",
        string("key"),
        tips="",
        cost="O(N), N being the length of the key.",
    ),
    _ask("links", 2, "Describes the links to other nodes.", cost=_NODES_COST, since="7.0.0"),
    _change(
        "meet",
        -4,
        "Makes the node shake hands with another.",
        string("ip"),
        integer("port"),
        integer("cluster_bus_port", since="4.0.0", optional=True),
    )._replace(history=(("4.0.0", "`cluster_bus_port`."),)),
    _ask("myid", 2, "Returns the node's id.", tips=""),
    _ask("nodes", 2, "Returns the configuration of all nodes.", cost=_NODES_COST),
    _ask("replicas", 3, "Lists a master's replicas.", _node, flags=_ASK_ADMIN, since="5.0.0"),
    _change("replicate", 3, "Makes the node a replica of another.", _node),
    _cluster(
        "cluster|reset",
        -2,
        "admin noscript stale",
        "Makes the node forget the cluster.",
        since="3.0.0",
        complexity="O(N), N being the number of nodes, and of keys when it is a master.",
        arguments=[one_of("hard_soft", token("HARD"), token("SOFT"), optional=True)],
    ),
    _change("saveconfig", 2, "Saves the node's configuration."),
    _change("set-config-epoch", 3, "Sets the epoch of a new node.", integer("config-epoch")),
    _change(
        "setslot",
        -4,
        "Sets what a slot's state is, and whose it is.",
        integer("slot"),
        one_of(
            "subcommand",
            string("node-id", "IMPORTING"),
            string("node-id", "MIGRATING"),
            string("node-id", "NODE"),
            token("STABLE"),
        ),
    ),
    _ask("shards", 2, "Returns which nodes serve which slots.", cost=_NODES_COST, since="7.0.0"),
    _ask("slaves", 3, "Lists a master's replicas.", _node, flags=_ASK_ADMIN)._replace(
        deprecated_since="5.0.0", replaced_by="`CLUSTER REPLICAS`"
    ),
    _ask("slots", 2, "Returns which nodes serve which slots.", cost=_NODES_COST)._replace(
        deprecated_since="7.0.0",
        replaced_by="`CLUSTER SHARDS`",
        history=(("4.0.0", "Ids of nodes."), ("7.0.0", "More ways to reach a node.")),
    ),
)


def _container() -> Command:
    """CLUSTER, whose HELP is refused like all the rest."""
    whole = container(
        "cluster",
        "Looks after a node of a cluster.",
        _SUBCOMMANDS,
        group="cluster",
        since="3.0.0",
        help_since="5.0.0",
    )
    helper = whole.subcommands["cluster|help"]._replace(function=None)
    return whole._replace(subcommands={**whole.subcommands, helper.name: helper})


COMMANDS = (
    _cluster(
        "asking",
        1,
        "fast",
        "Lets the next command work on a slot that is being imported.",
        since="3.0.0",
        categories="connection",
    ),
    _container(),
    _cluster(
        "readonly",
        1,
        "loading stale fast",
        "Lets the connection read from a cluster's replica.",
        since="3.0.0",
        categories="connection",
    ),
    _cluster(
        "readwrite",
        1,
        "loading stale fast",
        "Takes READONLY back.",
        since="3.0.0",
        categories="connection",
    ),
)
