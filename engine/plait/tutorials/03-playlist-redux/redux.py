"""Films for an evening, chosen by what the runs of another flow found out."""

# The results hold a table of pandas: to read it, pandas has to be there.
import pandas as pd

from plait import Flow, FlowSpec, Parameter, step

GROSS = "Worldwide Gross"


class ReduxFlow(FlowSpec):
    """Choose from the genres that earn most, by the results of the statistics flow."""

    genres = Parameter("genres", default=3, help="How many genres to choose from.")
    each = Parameter("each", default=2, help="How many films of each genre.")

    @step
    def start(self):
        """Read the statistics, and find the genres whose films earn most."""
        run = Flow("StatsFlow").latest_successful_run
        if run is None:
            raise ValueError("no run of StatsFlow was successful: run stats.py, in this folder")
        # Written down, so that one knows later what this run was made from.
        self.based_on = run.pathspec
        summary = run.data.summary
        self.medians = {genre: about["quartiles"][GROSS][1] for genre, about in summary.items()}
        self.upper = {genre: about["quartiles"][GROSS][2] for genre, about in summary.items()}
        self.best = sorted(self.medians, key=self.medians.get, reverse=True)[: self.genres]
        self.table = run["start"].task.data.table
        self.next(self.choose, foreach="best")

    @step
    def choose(self):
        """Take the best rated films of one genre among the quarter of it that earned most."""
        self.genre = self.input
        films = self.table[self.table["Major Genre"] == self.genre]
        films = films[films[GROSS] >= self.upper[self.genre]]
        films = films.sort_values(["IMDB Rating", "Title"], ascending=[False, True])
        self.titles = films["Title"].head(self.each).tolist()
        self.next(self.join)

    @step
    def join(self, inputs):
        """Put the genres together, those that earn most first."""
        self.playlist = {i.genre: i.titles for i in inputs}
        self.merge_artifacts(inputs, include=["based_on", "medians"])
        self.next(self.end)

    @step
    def end(self):
        """Print the playlist."""
        table = pd.DataFrame(
            [
                {"genre": genre, "median gross": self.medians[genre], "film": title}
                for genre, titles in self.playlist.items()
                for title in titles
            ]
        )
        print(f"by the results of {self.based_on}:")
        print(table.to_string(index=False, float_format="{:,.0f}".format))


if __name__ == "__main__":
    ReduxFlow()
