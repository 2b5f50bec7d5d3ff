"""Quartiles of every group of a table, one task a group."""

import io
import os

# Here and not inside of a step: it is imported once, and the task of every group finds it loaded.
import pandas as pd

from plait import FlowSpec, IncludeFile, Parameter, step

HERE = os.path.dirname(os.path.abspath(__file__))

UNNAMED = "(none)"
"""The group of the rows that name none."""


def read_table(text, group):
    """Read CSV text; rows that say nothing in the column *group* get the group `(none)`."""
    # Only an empty cell is missing: pandas would take films called "None" or "NA" for missing, too.
    table = pd.read_csv(
        io.StringIO(text), dtype={group: str}, keep_default_na=False, na_values=[""]
    )
    table[group] = table[group].fillna(UNNAMED)
    return table


class StatsFlow(FlowSpec):
    """Describe every group of a table: by default, what films of each genre cost and earn."""

    source = IncludeFile(
        "source", default=os.path.join(HERE, "movies.csv"), help="The table, a CSV file."
    )
    group = Parameter("group", default="Major Genre", help="The column that names a row's group.")
    columns = Parameter(
        "columns",
        default=["Worldwide Gross", "Production Budget", "IMDB Rating"],
        separator=",",
        help="The columns of numbers to describe.",
    )

    @step
    def start(self):
        """Read the table and find its groups."""
        self.table = read_table(self.source, self.group)
        self.groups = sorted(self.table[self.group].unique())
        print(f"{len(self.table)} rows in {len(self.groups)} groups")
        self.next(self.describe, foreach="groups")

    @step
    def describe(self):
        """Find the quartiles of one group; missing numbers are counted and left out."""
        self.label = self.input
        rows = self.table[self.table[self.group] == self.input]
        self.rows = len(rows)
        self.quartiles = {
            column: rows[column].dropna().quantile([0.25, 0.5, 0.75]).tolist()
            for column in self.columns
        }
        self.missing = {column: int(rows[column].isna().sum()) for column in self.columns}
        print(f"{self.label}: {self.rows} rows, {self.quartiles}")
        self.next(self.join)

    @step
    def join(self, inputs):
        """Put the groups together again, in the order of their names."""
        self.summary = {
            i.label: {"rows": i.rows, "quartiles": i.quartiles, "missing": i.missing}
            for i in inputs
        }
        self.next(self.end)

    @step
    def end(self):
        """Print a table: the rows of every group, and the median of each column."""
        print(f"{'median of':20} {'rows':>6}", *(f"{column:>18}" for column in self.columns))
        for name, about in self.summary.items():
            medians = (about["quartiles"][column][1] for column in self.columns)
            print(f"{name:20} {about['rows']:6}", *(f"{median:18,.2f}" for median in medians))


if __name__ == "__main__":
    StatsFlow()
