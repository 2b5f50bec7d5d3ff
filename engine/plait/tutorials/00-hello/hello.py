"""The smallest flow worth running: it fans out over names and joins again."""

from plait import FlowSpec, Parameter, step


class HelloFlow(FlowSpec):
    """Greet some people, each in a task of its own."""

    greeting = Parameter("greeting", default="Hi", help="What to say.")

    @step
    def start(self):
        """Decide whom to greet."""
        self.names = ["ada", "grace", "katherine"]
        # One task of `greet` for each element of the artifact `names`.
        self.next(self.greet, foreach="names")

    @step
    def greet(self):
        """Greet one of them."""
        self.line = f"{self.greeting}, {self.input}!"
        print(self.line)
        self.next(self.join)

    @step
    def join(self, inputs):
        """Collect the greetings, in the order of the names."""
        self.lines = [i.line for i in inputs]
        self.next(self.end)

    @step
    def end(self):
        """Say how it went."""
        print(f"{len(self.lines)} people were greeted")


if __name__ == "__main__":
    HelloFlow()
