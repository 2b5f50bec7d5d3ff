"""Makes `movies.csv` of the file it comes from: `python convert.py movies.json movies.csv`."""

import csv
import json
import sys


def convert(source, target):
    """Write the records of the JSON file *source* as CSV, in their order, and say how many.

    Numbers stay as they are spelled, and what is null becomes an empty cell.
    """
    with open(source, encoding="utf-8") as file:
        records = json.load(file, parse_int=str, parse_float=str)
    with open(target, "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(records[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(records)
    return len(records)


if __name__ == "__main__":
    print(f"{convert(*sys.argv[1:])} rows")
