"""Where configs come from, how they are read, and what is said of those that cannot be."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from plait.flow.config import Config, declaration_of
from plait.flow.config_load import InvalidConfigs, load_configs
from plait.flow.config_source import GivenConfigs, plan_configs


def parse_pairs(text: str) -> dict[str, str]:
    """Read `a=b,c=d`."""
    return dict(pair.split("=") for pair in text.split(","))


def load(
    config: Config,
    *,
    file: str | None = None,
    value: Any = None,
    environ: dict[str, str] | None = None,
) -> Any:
    """Give the value of one config, called `cfg` in steps."""
    name = declaration_of(config).name
    given = GivenConfigs(
        files=() if file is None else ((name, file),),
        values=() if value is None else ((name, value),),
    )
    return load_configs("Train", {"cfg": declaration_of(config)}, given, environ or {})["cfg"]


def fail(config: Config, **given: Any) -> tuple[str, str, str]:
    """Give slug, what and why of the one thing that is wrong."""
    with pytest.raises(InvalidConfigs) as caught:
        load(config, **given)
    (found,) = caught.value.findings
    return found.slug, found.what, found.why


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a few files."""
    for name, text in {
        "a.json": '{"from": "json"}',
        "a.toml": 'from = "toml"\n[deep]\nlist = [1, 2]\n',
        "a.yaml": "from: yaml\n",
        "a.yml": "from: yml\n",
        "a.cfg": '{"from": "other suffix"}',
        "pairs.txt": "from=parser",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("file", "read"),
    [
        ("a.json", "json"),
        ("~/a.toml", "toml"),
        ("a.yaml", "yaml"),
        ("a.yml", "yml"),
        ("a.cfg", "other suffix"),
    ],
)
def test_a_file_is_read_as_its_suffix_says(file: str, read: str) -> None:
    """Anything unknown is JSON."""
    assert load(Config("c"), file=file)["from"] == read


def test_what_is_read_is_read_only_and_knows_its_place() -> None:
    """Messages name it as steps do."""
    cfg = load(Config("c"), file="a.toml")

    assert cfg.deep.list == [1, 2]
    with pytest.raises(AttributeError, match="config 'cfg"):
        cfg.deep.lst  # noqa: B018  # asking for it is what fails


def test_the_command_line_holds_before_the_environment_before_the_default() -> None:
    """And in each place a file or a value may be given."""
    config = Config("my-cfg", default="a.json")
    environ = {"PLAIT_CONFIG_MY_CFG": "a.toml"}
    by_value = {"PLAIT_CONFIG_VALUE_MY_CFG": '{"from": "environment"}', "PLAIT_CONFIG_MY_CFG": ""}

    assert load(config)["from"] == "json"
    assert load(config, environ=environ)["from"] == "toml"
    assert load(config, environ=by_value)["from"] == "environment"
    assert load(config, environ=environ, file="a.yaml")["from"] == "yaml"
    assert load(config, environ=environ, value='{"from": "option"}')["from"] == "option"
    assert load(config, environ=environ, value={"from": "program"})["from"] == "program"


def test_a_default_value_holds_where_there_is_no_default_file() -> None:
    """A file that is there is read even so; a function may give either."""
    there = Config("c", default="a.json", default_value={"from": "value"})
    absent = Config("c", default="absent.json", default_value='{"from": "value"}')
    called = Config(
        "c",
        default=lambda context: f"{context.parameter_name}.json",
        default_value=lambda context: {"from": context.flow_name},
    )

    assert load(there)["from"] == "json"
    assert load(absent)["from"] == "value"
    assert load(called)["from"] == "Train"
    assert load(Config("c")) is None


def test_a_function_sees_the_configs_before_its_own() -> None:
    """So that one may depend on another."""
    first = Config("first", default_value={"a": 1})
    second = Config("second", default_value=lambda context: {"b": context.configs.first.a + 1})

    values = load_configs(
        "Train",
        {"one": declaration_of(first), "two": declaration_of(second)},
        GivenConfigs(),
        {},
    )

    assert values == {"one": {"a": 1}, "two": {"b": 2}}


def test_a_parser_takes_the_place_of_the_format() -> None:
    """For files and for texts, as a function or by its name; a dict needs none."""
    config = Config("c", default="pairs.txt", parser=parse_pairs)

    assert load(config)["from"] == "parser"
    assert load(config, value="a=b,c=d") == {"a": "b", "c": "d"}
    assert load(config, value={"a": 1}) == {"a": 1}
    assert load(Config("c", default_value="[1]", parser="json.loads"), value="{}") == {}


@pytest.mark.parametrize(
    ("name", "text", "place", "why"),
    [
        ("b.json", '{"a": 1\n"b": 2}', "'b.json', line 2", "as JSON: Expecting ',' delimiter"),
        ("b.toml", 'a = 1\nb = "\n', "'b.toml', line 2", "as TOML: "),
        ("b.yaml", "a: [1\nb: 2", "'b.yaml', line 2", "as YAML: expected ',' or ']'"),
    ],
)
def test_a_mistake_in_a_file_names_its_line(name: str, text: str, place: str, why: str) -> None:
    """Whatever the format."""
    Path(name).write_text(text, encoding="utf-8")

    slug, what, reason = fail(Config("c"), file=name)

    assert (slug, what) == ("bad-config-syntax", f"config 'c' cannot be read from {place}")
    assert reason.startswith(why)


def test_a_mistake_in_a_text_names_what_gave_it() -> None:
    """The option, the variable, or the default."""
    by_option = fail(Config("c"), value="{")
    by_variable = fail(Config("c"), environ={"PLAIT_CONFIG_VALUE_C": "{"})
    by_default = fail(Config("c", default_value="{"))

    assert [what for _, what, _ in (by_option, by_variable, by_default)] == [
        f"config 'c' cannot be read from the value of {origin}, line 1"
        for origin in ("--config-value", "PLAIT_CONFIG_VALUE_C", "its default")
    ]


def test_files_that_cannot_be_read_are_findings(folder: Path) -> None:
    """Absent ones with the nearest name, folders, what is no text, what lies elsewhere."""
    (folder / "bytes").write_bytes(b"\xff\xfe")
    here = Config("c", default=Path(__file__).name)

    assert fail(Config("c"), file="a.jsn") == (
        "unreadable-config",
        "the file of config 'c' cannot be read: 'a.jsn', from --config",
        "No such file or directory; did you mean 'a.json'?",
    )
    assert fail(Config("c"), file=".")[2].startswith("Is a directory")
    assert "codec can't decode" in fail(Config("c"), file="bytes")[2]
    with pytest.raises(InvalidConfigs, match="paths begin in the folder that you are in; give"):
        load(here)


def test_what_is_no_dict_is_refused() -> None:
    """From a file, a text or a function."""
    Path("list.json").write_text("[1]", encoding="utf-8")

    assert fail(Config("c"), file="list.json")[:2] == (
        "bad-config-value",
        "config 'c' has no keys: 'list.json' gives list '[1]'",
    )
    assert fail(Config("c"), value="3")[0] == "bad-config-value"
    assert fail(Config("c", default_value=lambda _: 3))[0] == "bad-config-value"


def test_functions_that_fail_are_findings() -> None:
    """Parsers, names that cannot be imported, and functions of defaults."""
    cases = [
        Config("c", default_value="x", parser=parse_pairs),
        Config("c", default_value="x", parser="no_such_module.parse"),
        Config("c", default_value=lambda context: context.nothing),
        Config("c", default=lambda context: 1 / 0),
    ]

    assert {fail(case)[0] for case in cases} == {"config-function-failed"}
    assert fail(cases[0])[1] == "the parser of config 'c' failed"
    assert fail(cases[3])[1] == "the function for default of config 'c' failed"


def test_yaml_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra, and only who uses it needs it."""
    real = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name == "yaml":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)

    assert fail(Config("c"), file="a.yaml")[0] == "missing-yaml"


def test_missing_and_unknown_configs_and_those_given_twice_are_said_at_once() -> None:
    """Before anything is read."""
    configs = {
        "one": declaration_of(Config("one", required=True)),
        "two": declaration_of(Config("two")),
        "three": declaration_of(Config("three")),
    }
    given = GivenConfigs(files=(("two", "a"), ("tow", "b")), values=(("two", "{}"),))
    environ = {"PLAIT_CONFIG_THREE": "a", "PLAIT_CONFIG_VALUE_THREE": "{}", "PLAIT_CONFIG_X": "y"}

    plan = plan_configs("Train", configs, given, environ)

    assert [(found.slug, found.what) for found in plan.findings] == [
        ("unknown-config", "flow 'Train' has no config 'tow'"),
        ("missing-config", "config 'one' needs a value"),
        ("config-given-twice", "config 'two' is given by --config and by --config-value"),
        (
            "config-given-twice",
            "config 'three' is given by PLAIT_CONFIG_THREE and by PLAIT_CONFIG_VALUE_THREE",
        ),
    ]
    assert plan.sources == {}


def test_a_required_config_whose_function_gives_nothing_is_missing() -> None:
    """None is no value."""
    assert fail(Config("c", default_value=lambda _: None, required=True))[0] == "missing-config"
