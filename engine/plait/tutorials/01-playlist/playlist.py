"""Films for an evening: the best of one genre, and a surprise from another."""

import csv
import io
import os
import random

from plait import FlowSpec, IncludeFile, Parameter, current, step

HERE = os.path.dirname(os.path.abspath(__file__))


def rating(film):
    """Order films by their rating; those with equal ones by how many say so."""
    return float(film["IMDB Rating"]), int(film["IMDB Votes"])


class PlaylistFlow(FlowSpec):
    """Choose films to watch, in two branches that know nothing of each other."""

    films = IncludeFile(
        "films", default=os.path.join(HERE, "films.csv"), help="The table of films, a CSV file."
    )
    genre = Parameter("genre", default="Comedy", help="What to choose the best of.")
    length = Parameter("length", default=5, help="How many films, the surprise not counted.")

    @step
    def start(self):
        """Read the table."""
        self.table = list(csv.DictReader(io.StringIO(self.films)))
        self.genres = sorted({film["Major Genre"] for film in self.table})
        if self.genre not in self.genres:
            known = ", ".join(self.genres)
            raise ValueError(f"no film is of the genre '{self.genre}'; there are {known}")
        # Both run at the same time, each in a process of its own.
        self.next(self.best, self.surprise)

    @step
    def best(self):
        """Take the best films of the genre."""
        films = [film for film in self.table if film["Major Genre"] == self.genre]
        films.sort(key=rating, reverse=True)
        self.chosen = [film["Title"] for film in films[: self.length]]
        self.next(self.join)

    @step
    def surprise(self):
        """Take a good film of any other genre: the same one if the step is tried again."""
        films = [film for film in self.table if film["Major Genre"] != self.genre]
        films.sort(key=rating, reverse=True)
        film = random.Random(current.run_id).choice(films[:100])
        self.chosen = [film["Title"]]
        self.surprise_genre = film["Major Genre"]
        self.next(self.join)

    @step
    def join(self, inputs):
        """Put the branches together; each is known by the name of its step."""
        self.playlist = inputs.best.chosen + inputs.surprise.chosen
        # `chosen` has another value on each side and stays behind; what both have alike, or only
        # one of them has, goes on.
        self.merge_artifacts(inputs, exclude=["chosen"])
        self.next(self.end)

    @step
    def end(self):
        """Print the playlist."""
        print(f"The best of {self.genre}, and a surprise ({self.surprise_genre}):")
        for number, title in enumerate(self.playlist, 1):
            print(f"{number:3}. {title}")


if __name__ == "__main__":
    PlaylistFlow()
