"""Makes `films.csv` of the larger table: `python choose.py movies.csv films.csv`."""

import csv
import sys

COLUMNS = ["Title", "Major Genre", "IMDB Rating", "IMDB Votes"]
FEWEST_VOTES = 20_000


def choose(source, target):
    """Write the films of *source* that many have rated, and say how many they are.

    A film without a title, a genre or a rating is left out; the order and the cells stay.
    """
    with open(source, encoding="utf-8", newline="") as file:
        films = [
            {name: film[name] for name in COLUMNS}
            for film in csv.DictReader(file)
            if all(film[name] for name in COLUMNS) and int(film["IMDB Votes"]) >= FEWEST_VOTES
        ]
    with open(target, "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(films)
    return len(films)


if __name__ == "__main__":
    print(f"{choose(*sys.argv[1:])} films")
