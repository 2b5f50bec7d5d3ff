"""Templates about configs: read before the flow is, used by decorators, kept with the run."""

from plait_harness import FlowTest, steps, tag

_SHAPES = {
    "linear": "a config is the same in every task: here from task to task",
    "branch-in-foreach": "a config is the same in every task: here in joins of both kinds",
}


class ConfigEverywhere(FlowTest):
    """Decorators, defaults, class attributes and steps see one config, which nobody can change."""

    PRIORITY = 23
    HEADER = """
EXPECTED = {
    "retries": 1,
    "label": "größer",
    "model": {"rates": [0.5, 0.25], "depth": 3},
    "items": "a key that is also a method",
}
"""
    CONFIGS = {
        "cfg": {"default_value": "EXPECTED", "help": "'The settings.'"},
        "not-given": {"required": False},
    }
    PARAMETERS = {
        "rate": {"default": "cfg.model.rates[1]"},
        "title": {"default": "config_expr(\"f'{cfg.label}: {len(cfg.model)}'\")"},
        "called": {"default": "lambda context: str(context.configs.cfg.model.depth)"},
    }
    CLASS_VARS = {"depth": "cfg['model']['depth']"}
    ONLY_GRAPHS = _SHAPES

    @steps(0, ["start"])
    @tag("environment(vars={'LABEL': cfg.label, 'DEPTH': config_expr('str(cfg.model.depth + 1)')})")
    @tag("retry(times=cfg.retries, minutes_between_retries=0)")
    def step_start(self):
        import os

        assert_equals(("größer", "4"), (os.environ["LABEL"], os.environ["DEPTH"]))
        if current.retry_count < self.cfg.retries:
            raise TestRetry("once, as the config says")

    @steps(1, ["join"])
    def step_join(self):
        for flow in [self, *inputs]:
            assert_equals(EXPECTED, flow.cfg)
        self.merge_artifacts(inputs)

    @steps(2, ["all"])
    def step_all(self):
        assert_equals(EXPECTED, self.cfg)
        assert_equals((3, 0.5), (self.cfg.model["depth"], self.cfg["model"].rates[0]))
        assert_equals("a key that is also a method", self.cfg["items"])
        assert_equals("none", self.cfg.get("absent", "none"))
        assert_equals(None, self.not_given)
        assert_equals((0.25, "größer: 2", "3", 3), (self.rate, self.title, self.called, self.depth))
        assert_exception(lambda: setattr(self, "cfg", {}), AttributeError)
        assert_exception(lambda: self.cfg.update(retries=2), TypeError)
        assert_exception(lambda: self.cfg.model.rates.append(1), TypeError)
        assert_exception(lambda: self.cfg.modle, AttributeError)
        assert_exception(lambda: self.cfg["modle"], KeyError)
        assert_equals(EXPECTED, self.cfg)

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                assert_equals(EXPECTED, task.values["cfg"])
                assert_equals((0.25, 3), (task.values["rate"], task.values["depth"]))
        run = checker.get_run()
        if run is not None:
            assert_equals(0.5, run.data.cfg.model.rates[0])


class ConfigSources(FlowTest):
    """A config comes from the command line, else the environment, else a file, else its default."""

    PRIORITY = 23
    CONFIGS = {
        "by_file": {"default_value": {"from": "default_value"}},
        "by-value": {"default": "'ignored.json'"},
        "by_environment": {"required": True},
        "in_environment": {"default_value": {"from": "default_value"}},
        "file_there": {"default": "'there.json'", "default_value": {"from": "default_value"}},
        "no_file_there": {"default": "'absent.json'", "default_value": '{"from": "default_value"}'},
        "by_function": {"default": "lambda context: context.flow_name + '.json'"},
        "parsed": {"default": "'pairs.txt'", "parser": "parse_pairs"},
    }
    HEADER = '''
EXPECTED = {
    "by_file": {"from": "toml", "list": [1, 2]},
    "by_value": {"from": "option"},
    "by_environment": {"from": "yaml", "nested": {"deep": [None, True]}},
    "in_environment": {"from": "environment"},
    "file_there": {"from": "json"},
    "no_file_there": {"from": "default_value"},
    "by_function": {"from": "function"},
    "parsed": {"from": "parser", "a": "b"},
}


def parse_pairs(text):
    """Read lines of a name and a value."""
    return dict(line.split("=") for line in text.splitlines())
'''
    REQUIRED_FILES = {
        "given one.toml": 'from = "toml"\nlist = [1, 2]\n',
        "set.yaml": "from: yaml\nnested:\n  deep: [null, true]\n",
        "there.json": '{"from": "json"}',
        "ConfigSourcesFlow.json": '{"from": "function"}',
        "pairs.txt": "from=parser\na=b\n",
    }
    TOP_OPTIONS = [
        *("--config", "by_file", "given one.toml"),
        *("--config-value", "by-value", '{"from": "option"}'),
    ]
    ENV = {
        "PLAIT_CONFIG_BY_FILE": "not-looked-at.json",
        "PLAIT_CONFIG_BY_ENVIRONMENT": "set.yaml",
        "PLAIT_CONFIG_VALUE_IN_ENVIRONMENT": '{"from": "environment"}',
    }
    ONLY_GRAPHS = {"linear": "where a value comes from is settled before the first task"}

    @steps(0, ["all"])
    def step_all(self):
        assert_equals(EXPECTED, {name: getattr(self, name) for name in EXPECTED})

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                assert_equals(EXPECTED, {name: task.values[name] for name in EXPECTED})


class ConfigOfOrigin(FlowTest):
    """A resumed run has the config of the run before it, whatever the code says by then."""

    PRIORITY = 23
    CONFIGS = {"cfg": {"default_value": {"word": "first"}}}
    PARAMETERS = {"word": {"default": "cfg.word"}}
    RESUME = True
    RESUME_CHANGES = {"'first'": "'second'"}
    ONLY_GRAPHS = {"linear": "the config is known before the graph is looked at"}

    @steps(0, ["end"])
    def step_end(self):
        assert_equals(["first"] * 2, [self.cfg.word, self.word])
        if not is_resumed():
            raise ResumeFromHere

    @steps(1, ["all"])
    def step_all(self):
        self.seen = self.cfg.word

    def check_results(self, flow, checker):
        for task in checker.tasks("end"):
            assert_equals(("first", "first"), (task.values["seen"], task.values["cfg"]["word"]))


class WrongConfigs(FlowTest):
    """Everything wrong with configs is said at once, before anything runs."""

    PRIORITY = 23
    SHOULD_FAIL = 2
    CONFIGS = {
        "missing": {"required": True},
        "absent": {"default": "'no/such file.json'"},
        "broken": {"default": "'broken.toml'"},
        "listed": {"default_value": "'[1, 2]'"},
    }
    REQUIRED_FILES = {"broken.toml": 'fine = 1\nbroken = "\n'}
    TOP_OPTIONS = ["--config", "lisstd", "x.json"]
    ONLY_GRAPHS = {"start-end": "the command fails before the graph matters"}

    @steps(0, ["all"])
    def step_all(self):
        raise AssertionError("no task may run")

    def check_results(self, flow, checker):
        assert_equals(None, checker.run_id)
        for slug, said in (
            ("missing-config", "'missing'"),
            ("unreadable-config", "no/such file.json"),
            ("bad-config-syntax", "'broken.toml', line 2"),
            ("bad-config-value", "'listed'"),
            ("unknown-config", "did you mean 'listed'?"),
        ):
            assert_equals((slug, True), (slug, f"error[{slug}]" in checker.console))
            assert_equals((said, True), (said, said in checker.console))
        assert_equals(False, "Traceback" in checker.console)


class InheritedDeclarations(FlowTest):
    """Configs, parameters, files, data and methods of bases and mixins are the flow's own."""

    PRIORITY = 23
    HEADER = '''
class Tuned:
    """A mixin."""

    cfg = Config("cfg", default_value={"rate": 0.5, "who": "mixin"})
    rate = Parameter("rate", default=cfg.rate)
    text = IncludeFile("text", default="text.txt")
    who = "mixin"
    unchanged = "mixin"

    def double(self):
        return self.rate * 2


class Base(FlowSpec):
    """What several flows share."""

    size = Parameter("size", default=1)
    replaced = Parameter("replaced", default="base")
    who = "base"
'''
    BASES = ("Tuned", "Base")
    CLASS_VARS = {"replaced": "Parameter('replaced', default='flow')", "own": "'flow'"}
    REQUIRED_FILES = {"text.txt": "included"}
    RUN_OPTIONS = ["--size", "7"]
    ONLY_GRAPHS = {"two-way-branch": "what a class has does not depend on the graph"}

    @steps(0, ["join"])
    def step_join(self):
        self.merge_artifacts(inputs)

    @steps(1, ["all"])
    def step_all(self):
        assert_equals((0.5, 0.5, 1.0), (self.cfg.rate, self.rate, self.double()))
        assert_equals(("mixin", "mixin", "flow"), (self.who, self.unchanged, self.own))
        assert_equals((7, "flow", "included"), (self.size, self.replaced, self.text))
        expected = ["size", "replaced", "rate", "text"]
        assert_equals(sorted(expected), sorted(current.parameter_names))

    def check_results(self, flow, checker):
        for step in flow:
            for task in checker.tasks(step.name):
                names = ("rate", "text", "who", "size", "replaced")
                found = tuple(task.values[name] for name in names)
                assert_equals((0.5, "included", "mixin", 7, "flow"), found)
