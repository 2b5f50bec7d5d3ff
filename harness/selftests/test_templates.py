"""Template files: bodies cut out as source, and what is said of classes that are no templates."""

from __future__ import annotations

import pytest

from plait_harness.mistakes import Mistake
from plait_harness.templates import load_templates

CHECK = "    def check_results(self, flow, checker):\n        pass\n"


def refused(make_templates, source: str) -> str:
    """Give what is said of a template that is refused."""
    with pytest.raises(Mistake) as refusal:
        make_templates(source)
    return str(refusal.value)


def test_a_body_is_the_source_of_its_function(make_template):
    """Comments, blank lines and strings over many lines come as they were written."""
    template = make_template(
        '''
        class Mine(FlowTest):
            """What it shows. More than one
            line of it."""

            @steps(2, ["all"], required=True)
            @tag("retry(times=2)")
            @tag('catch(var="x")')
            def step_all(self):
                # a comment
                self.x = """two
            lines"""

                if self.x:
                    self.y = 1

            def check_results(self, flow, checker):
                return None
        '''
    )

    (body,) = template.bodies
    assert template.doc == "What it shows. More than one"
    assert (body.name, body.rule.precedence, body.rule.required) == ("step_all", 2, True)
    assert body.tags == ("retry(times=2)", 'catch(var="x")')
    assert body.source == (
        "        # a comment\n"
        '        self.x = """two\n'
        '    lines"""\n'
        "\n"
        "        if self.x:\n"
        "            self.y = 1"
    )
    assert template.check_source == "        return None"


def test_a_body_is_indented_as_a_method_is(make_template):
    """A body written deeper or on the line of its `def` is brought to a method's depth."""
    template = make_template(
        '''
        if True:
            class Mine(FlowTest):
                """It."""

                @steps(0, ["start"])
                def short(self): self.x = 1; self.y = 2

                @steps(1, ["all"])
                def deep(self):
                    self.text = """
                      kept"""
                    self.z = [
                        1,
                    ]

                def check_results(self, flow, checker):
                    pass
        '''
    )

    short, deep = template.bodies
    assert short.source == "        self.x = 1; self.y = 2"
    assert deep.source == (
        '        self.text = """\n'
        '              kept"""\n'
        "        self.z = [\n            1,\n        ]"
    )


def test_a_subclass_takes_and_replaces_what_its_base_has(make_templates):
    """A base whose name begins with an underscore is no template itself."""
    templates = make_templates(
        '''
        class _Base(FlowTest):
            """A base."""

            @steps(0, ["start"])
            def first(self):
                self.x = 1

            @steps(1, ["all"])
            def rest(self):
                pass

            def check_results(self, flow, checker):
                pass

        class Mine(_Base):
            """Mine."""

            PRIORITY = 3

            @steps(0, ["start"])
            def first(self):
                self.x = 2
        '''
    )

    (mine,) = templates.values()
    assert (mine.name, mine.priority) == ("Mine", 3)
    assert [(body.name, body.source.strip()) for body in mine.bodies] == [
        ("first", "self.x = 2"),
        ("rest", "pass"),
    ]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("return", "it returns, so that the step would end before its self.next"),
        ("self.next(self.end)", "it calls self.next, but the graph says where a step goes"),
        ("x = yield", "it yields, which a step can't"),
    ],
)
def test_what_cannot_stand_in_a_step_is_refused(make_templates, statement, said):
    """A body that would break its step is refused with file and line."""
    message = refused(
        make_templates,
        f'class Mine(FlowTest):\n    """It."""\n    @steps(0, ["all"])\n'
        f"    def one(self):\n        if self:\n            {statement}\n{CHECK}",
    )

    assert message.startswith("/")
    assert "mine.py:7: 'one' can't be the body of a step" in message
    assert said in message


def test_what_stands_in_a_function_within_a_body_is_its_own_affair(make_template):
    """A function in a body may return."""
    template = make_template(
        f'class Mine(FlowTest):\n    """It."""\n    @steps(0, ["all"])\n'
        f"    def one(self):\n        def two():\n            return 2\n"
        f"        self.x = two()\n{CHECK}"
    )

    assert template.bodies[0].source.endswith("self.x = two()")


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        (
            "PRIORTY = 3",
            (
                "there is no attribute of a template, in {file}: template 'Mine': 'PRIORTY'\n"
                "  did you mean 'PRIORITY'?"
            ),
        ),
        ('SKIP_GRAPHS = {"a": ""}', "{file}: template 'Mine': SKIP_GRAPHS has no because for 'a'"),
        (
            'ONLY_GRAPHS = ["a"]',
            "{file}: template 'Mine': ONLY_GRAPHS is a dict of graph -> because, not ['a']",
        ),
        (
            'PARAMETERS = {"a": 3}',
            "{file}: template 'Mine': PARAMETERS['a'] is not a dict of keyword arguments",
        ),
    ],
)
def test_wrong_attributes_are_named(make_templates, tmp_path, attributes, said):
    """An attribute that does not exist, or of the wrong form, is an error that says so."""
    message = refused(
        make_templates,
        f'class Mine(FlowTest):\n    """It."""\n    {attributes}\n    @steps(0, ["all"])\n'
        f"    def one(self):\n        pass\n{CHECK}",
    )

    assert message == said.format(file=tmp_path / "templates-0" / "mine.py")


def test_a_template_needs_a_check(make_templates):
    """A template that would judge nothing is refused."""
    message = refused(
        make_templates,
        'class Mine(FlowTest):\n    """It."""\n    @steps(0, ["all"])\n'
        "    def one(self):\n        pass\n",
    )

    assert message.endswith("has no check_results\n  nothing would judge its runs")


def test_a_template_needs_a_sentence(make_templates):
    """A template without a docstring is refused."""
    message = refused(
        make_templates,
        f'class Mine(FlowTest):\n    @steps(0, ["all"])\n    def one(self):\n        pass\n{CHECK}',
    )

    assert "has no docstring" in message


def test_a_file_that_does_not_import_is_named(tmp_path):
    """An error in a template file comes with the file's name."""
    path = tmp_path / "broken.py"
    path.write_text("import nowhere_to_be_found\n")

    with pytest.raises(Mistake, match=r"broken\.py can't be imported\n.*ModuleNotFoundError"):
        load_templates(str(path))
