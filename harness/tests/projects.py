"""Templates about decorators of flows: `@project`, its options, and what runs get by it."""

from plait_harness import FlowTest, steps

_ANY = {"linear": "what a run gets does not depend on its graph"}


class ProjectOfRun(FlowTest):
    """A run of a project knows its branch in every task, and is tagged with it."""

    PRIORITY = 23
    CONFIGS = {"cfg": {"default_value": {"project": "fraud"}}}
    FLOW_DECORATORS = ('project(name=config_expr("cfg.project"))',)
    TOP_OPTIONS = ["--branch", "new_model"]
    ONLY_GRAPHS = _ANY

    @steps(0, ["all"])
    def step_all(self):
        assert_equals(("fraud", "test.new_model"), (current.project_name, current.branch_name))
        assert_equals(False, current.is_production)
        name = "fraud.test.new_model.ProjectOfRunFlow"
        assert_equals((name, name), (current.project_flow_name, current.get("project_flow_name")))
        tags = {"project:fraud", "project_branch:test.new_model"}
        assert_equals(tags, {tag for tag in current.tags if tag.startswith("project")})

    def check_results(self, flow, checker):
        run = checker.get_run()
        if run is None:
            raise NotOffered("system tags are the client's")
        tags = {tag for tag in run.system_tags if tag.startswith("project")}
        assert_equals({"project:fraud", "project_branch:test.new_model"}, tags)


class ProjectByWith(FlowTest):
    """A decorator of the flow can be given by --with, as one of its steps."""

    PRIORITY = 23
    TOP_OPTIONS = ["--with", "project:name=fraud,production=true"]
    ONLY_GRAPHS = _ANY

    @steps(0, ["all"])
    def step_all(self):
        assert_equals(("prod", True), (current.branch_name, current.is_production))

    def check_results(self, flow, checker):
        run = checker.get_run()
        if run is None:
            raise NotOffered("system tags are the client's")
        assert_equals(True, "project_branch:prod" in run.system_tags)


class ProjectSaidTwice(FlowTest):
    """What the code says of a branch cannot be said on the command line as well."""

    PRIORITY = 23
    SHOULD_FAIL = 2
    FLOW_DECORATORS = ('project(name="fraud", branch="one")',)
    TOP_OPTIONS = ["--branch", "other"]
    ONLY_GRAPHS = {"start-end": "the command fails before the graph matters"}

    @steps(0, ["all"])
    def step_all(self):
        raise AssertionError("no task may run")

    def check_results(self, flow, checker):
        assert_equals(None, checker.run_id)
        assert_equals(True, "error[bad-decorator]: @project: --branch is given" in checker.console)
        assert_equals(False, "Traceback" in checker.console)
