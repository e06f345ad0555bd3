# What people run, and what .ci/run runs: `just` lists it.

set positional-arguments

[private]
default:
    @just --list

# everything that the tests need, into the active environment
setup:
    pip install -c constraints.txt -e '.[dev]'

# the fast tests (7 minutes on two cores): just fast tests/data
fast *paths:
    pytest -m "not slow and not install and not ci" "$@"

# all tests but the campaigns (8 minutes): just test tests/data
test *paths:
    pytest "$@"

# mutants, other runtimes, several processes, browsers, clean environments (12 minutes)
campaigns:
    bash .ci/browser
    pytest -m "install or ci" -n 2

# style, formatting, the order of the rooms, the words
lint:
    ruff check .
    ruff format --check .
    lint-imports --no-cache --no-logo
    python docs/words.py

types:
    mypy

# the wheel, in an environment of its own below FOLDER
wheel folder:
    bash .ci/wheel "{{ folder }}"

# the pages that are written by programs
pages:
    PYTHONPATH=.:plugins:export python docs/reference.py
    PYTHONPATH=.:plugins:export python docs/train_options.py
    PYTHONPATH=.:plugins:export python docs/architecture.py --write
    python docs/third_party.py

# the documentation site, in FOLDER; a warning is an error
site folder="site":
    NO_MKDOCS_2_WARNING=1 PYTHONPATH=.:plugins:export mkdocs build --strict --quiet --site-dir "{{ folder }}"

# the pages of all weights that zoo ships, for the site: five minutes, and npm
gallery:
    zoo demo --gallery runs/gallery --overwrite

# run the examples of pages, and compare what they print: just examples docs/data.md
examples *pages:
    python docs/run_examples.py "$@"

# everything, from a clean clone, as it runs before anything lands (28 minutes)
ci:
    bash .ci/run
