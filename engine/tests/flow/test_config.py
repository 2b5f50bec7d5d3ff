"""What configs are in a class, in its decorators and defaults, and in steps."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

from plait.base.errors import InvalidFlow
from plait.flow.config import (
    BadConfigExpression,
    Config,
    ConfigNotReady,
    KnownConfigs,
    config_expr,
    declaration_of,
    is_later,
)
from plait.flow.config_value import ConfigValue, ReadOnlyConfig, UnknownConfigKey, freeze
from plait.flow.definition import FlowDefinition, give_configs, read_definition
from plait.flow.parameters import Parameter, resolve_parameters
from plait.flow.spec import FlowSpec
from plait.flow.step import step
from plait.plugins.environment import environment
from plait.plugins.retry import retry

CONTENT = {"retries": 2, "name": "ada", "deep": {"list": [1, {"x": 2}]}, "nothing": None}
OFFSET = 10


class Tuned(FlowSpec):
    cfg = Config("cfg", default_value=CONTENT)
    bare = Config("bare-one")
    depth = Parameter("depth", default=cfg.deep.list[0])
    total = Parameter("total", default=config_expr("cfg.retries + OFFSET"))
    called = Parameter("called", default=lambda context: context.configs.cfg.name)
    known = Parameter("known", default=3)
    name_of = cfg["name"]

    @retry(times=cfg.retries)
    @environment(vars={"NAME": cfg.name, "LIST": config_expr("str(cfg.deep['list'][0])")})
    @step
    def start(self) -> None:
        self.seen = [self.cfg.deep.list[1].x, self.name_of, self.bare]
        self.next(self.end)

    @step
    def end(self) -> None: ...


def value(content: Any = None, path: str = "cfg") -> Any:
    return freeze(CONTENT if content is None else content, path)


def refused(cls: type, **configs: Any) -> list[tuple[str, str]]:
    """Give slug and reason of everything that is wrong with a flow."""
    with pytest.raises(InvalidFlow) as caught:
        read_definition(cls, configs=configs or None)
    return [(found.slug, found.why) for found in caught.value.findings]


# Values


def test_a_value_is_a_dict_with_its_keys_as_attributes() -> None:
    """At any depth, and equal to what it was made of, through JSON, pickle and copies."""
    cfg = value()

    assert cfg.deep.list[1].x == cfg["deep"]["list"][1]["x"] == 2
    assert cfg == CONTENT
    assert json.loads(json.dumps(cfg)) == CONTENT
    for other in (pickle.loads(pickle.dumps(cfg)), copy.deepcopy(cfg), copy.copy(cfg)):
        assert (other, type(other)) == (cfg, ConfigValue)
    listed = pickle.loads(pickle.dumps(cfg.deep.list))
    assert listed == [1, {"x": 2}]
    with pytest.raises(ReadOnlyConfig):
        listed.append(1)


def test_a_value_cannot_be_changed_and_its_copy_can() -> None:
    """Neither it nor the dicts and lists in it; the message names the part."""
    cfg = value()
    changes = [
        lambda: cfg.update(a=1),
        lambda: cfg.__setitem__("a", 1),
        lambda: setattr(cfg, "a", 1),
        lambda: delattr(cfg, "name"),
        lambda: cfg.deep.pop("list"),
        lambda: cfg.deep.list.append(3),
        lambda: cfg.deep.list.__setitem__(0, 3),
    ]
    for change in changes:
        with pytest.raises(ReadOnlyConfig):
            change()
    plain = cfg.to_dict()
    plain["deep"]["list"].append(3)

    assert cfg == CONTENT
    assert (type(plain["deep"]), plain["deep"]["list"]) == (dict, [1, {"x": 2}, 3])
    with pytest.raises(ReadOnlyConfig) as caught:
        cfg.deep.list[1].clear()
    assert caught.value.findings[0].what == "config 'cfg.deep.list[1]' cannot be changed"


def test_an_unknown_key_names_the_nearest() -> None:
    """As an attribute and as a key; other libraries get the answers they expect."""
    cfg = value()

    for ask in (lambda: cfg.deep.lost, lambda: cfg["deep"]["lost"]):
        with pytest.raises(UnknownConfigKey) as caught:
            ask()
        assert isinstance(caught.value, KeyError)
        assert isinstance(caught.value, AttributeError)
        found = caught.value.findings[0]
        assert (found.what, found.why) == (
            "config 'cfg.deep' has no key 'lost'",
            "did you mean 'list'?",
        )
    assert cfg.get("lost", 3) == 3
    assert not hasattr(cfg, "lost")
    assert not hasattr(cfg, "__array__")
    with pytest.raises(UnknownConfigKey, match="it is empty"):
        _ = value({}).a


# Expressions


def test_a_flow_is_read_with_the_values_of_its_configs() -> None:
    """Decorators, defaults and class attributes have them; the class itself stays as it was."""
    flow = read_definition(Tuned)
    retried, variables = flow.decorators["start"]

    assert retried.attributes["times"] == flow.plans["start"].retries == 2
    assert variables.attributes["vars"] == {"NAME": "ada", "LIST": "1"}
    assert flow.constants == {"name_of": "ada"}
    assert resolve_parameters(flow, {}, {}) == {
        "depth": 1,
        "total": 12,
        "called": "ada",
        "known": 3,
    }
    assert flow.config_values == {"cfg": CONTENT, "bare": None}
    again = read_definition(Tuned, configs=give_configs(Tuned, {"cfg": {**CONTENT, "retries": 4}}))
    assert again.plans["start"].retries == 4
    assert resolve_parameters(again, {}, {})["total"] == 14


def test_configs_are_given_by_the_names_of_steps_or_of_the_command_line() -> None:
    """A program may use either; a flow without configs takes none."""
    for name in ("bare", "bare-one"):
        assert give_configs(Tuned, {name: {"a": 1}})["bare"] == {"a": 1}

    class Plain(FlowSpec): ...

    assert give_configs(Plain, {}) == {}


def test_steps_see_configs_and_cannot_set_them(bench) -> None:
    """`self.cfg` is the value that was kept with the run."""
    run = bench(Tuned)

    assert run.run()["seen"] == [2, "ada", None]
    flow = run.bind(run.order("start"))
    assert flow.cfg is flow.cfg
    with pytest.raises(ReadOnlyConfig):
        flow.cfg = {}
    with pytest.raises(ReadOnlyConfig):
        del flow.cfg
    assert run.values(run.constants)["cfg"] == CONTENT


def test_outside_of_a_run_a_config_is_what_the_class_has() -> None:
    """An object of the flow that runs nothing has no values."""
    assert Tuned(use_cli=False).cfg is Tuned.cfg
    assert repr(Tuned.cfg.deep["list"]) == "<cfg.deep['list'], later>"


def test_what_is_wrong_with_expressions_is_said_with_all_other_mistakes() -> None:
    """Unknown keys, configs without a value or of no flow, Python that raises, bad attributes."""
    foreign = Config("foreign")

    class Wrong(FlowSpec):
        cfg = Config("cfg", default_value=CONTENT)
        bare = Config("bare")
        a = Parameter("a", default=cfg.nmae)
        b = Parameter("b", default=bare.x)
        c = Parameter("c", default=foreign.x)
        d = Parameter("d", default=config_expr("1 / 0"))
        e = config_expr("cfg.deep").lost

        @retry(times=cfg.name)
        @step
        def start(self) -> None:
            self.next(self.end)

        @step
        def end(self) -> None: ...

    found = refused(Wrong)

    assert [why for slug, why in found if slug == "bad-config-expression"] == [
        "config 'cfg' has no key 'nmae'; did you mean 'name'?",
        "the config has no value: nothing was given for it, and it has no default",
        "the flow has no config 'foreign'; make it an attribute of the class",
        "ZeroDivisionError: division by zero",
        "config 'cfg.deep' has no key 'lost'; did you mean 'list'?",
    ]
    assert [slug for slug, _ in found if slug != "bad-config-expression"] == ["bad-decorator"]


def test_a_wrong_part_of_a_value_is_no_traceback() -> None:
    """A key of something that has none is told with the error that Python gives."""
    cfg = Config("cfg")
    known = KnownConfigs({"cfg": value()}, {"cfg": declaration_of(cfg)})

    with pytest.raises(BadConfigExpression, match="TypeError"):
        known.evaluate([cfg.retries.deep])
    assert known.evaluate((cfg.name, {"a": cfg})) == ("ada", {"a": CONTENT})


@pytest.mark.parametrize(
    "use",
    [
        lambda later: later + 1,
        lambda later: 1 - later,
        lambda later: f"{later}",
        lambda later: later == 3,
        list,
        len,
        bool,
        lambda later: 3 in later,
        range,
        lambda later: later < 3,
    ],
)
def test_the_class_cannot_compute_with_what_is_not_known_yet(use: Any) -> None:
    """Each way to use it says what to write instead."""
    cfg = Config("cfg")

    with pytest.raises(ConfigNotReady) as caught:
        use(cfg.retries)

    found = caught.value.findings[0]
    assert found.what.startswith("cfg.retries has no value yet")
    assert 'config_expr("cfg.retries ...")' in found.fix


def test_expressions_are_found_inside_of_values() -> None:
    """In dicts, lists and tuples, and in keys; nothing else is looked into."""
    cfg = Config("cfg")

    assert all(is_later(v) for v in (cfg, cfg.a, [1, cfg.a], {"a": (cfg,)}, {cfg.a: 1}))
    assert not any(is_later(v) for v in (None, [1], {"a": "b"}, (1, [2])))


def test_names_of_configs_are_checked() -> None:
    """They are variables of the environment, so that they have to be told apart there."""

    class Wrong(FlowSpec):
        _hidden = Config("hidden")
        value_of = Config("value_of")
        space = Config("a b")
        one = Config("my-cfg")
        two = Config("MY_CFG")
        index = Config("fine")

        @step
        def start(self) -> None:
            self.next(self.end)

        @step
        def end(self) -> None: ...

    assert sorted(slug for slug, _ in refused(Wrong)) == [
        "bad-config-name",
        "bad-config-name",
        "bad-config-name",
        "clashing-configs",
        "fixed-name",
    ]


def test_configs_of_bases_and_mixins_are_the_flows_own() -> None:
    """The nearest declaration of a name holds, also for expressions that a base wrote."""

    class Mixin:
        cfg = Config("cfg", default_value={"times": 1})
        times = Parameter("times", default=cfg.times)

    class Base(Mixin, FlowSpec):
        @retry(times=Mixin.cfg.times)
        @step
        def start(self) -> None:
            self.next(self.end)

        @step
        def end(self) -> None: ...

    class Own(Base):
        cfg = Config("cfg", default_value={"times": 5})

    def times(flow: FlowDefinition) -> tuple[int, object]:
        return flow.plans["start"].retries, resolve_parameters(flow, {}, {})["times"]

    assert times(read_definition(Base)) == (1, 1)
    assert times(read_definition(Own)) == (5, 5)


def test_merging_leaves_configs_alone(bench) -> None:
    """A join has them already, as it has parameters."""

    class Joined(FlowSpec):
        cfg = Config("cfg", default_value={"a": 1})

        @step
        def start(self) -> None:
            self.next(self.left, self.right)

        @step
        def left(self) -> None:
            self.next(self.join)

        @step
        def right(self) -> None:
            self.next(self.join)

        @step
        def join(self, inputs) -> None:
            self.merge_artifacts(inputs)
            self.seen = [self.cfg.a, inputs.left.cfg.a]
            self.next(self.end)

        @step
        def end(self) -> None: ...

    assert bench(Joined).run()["seen"] == [1, 1]
