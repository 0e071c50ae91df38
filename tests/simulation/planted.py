#!/usr/bin/env python3
"""Has the simulation teeth? Plants one bug after the other into a copy of the sources, builds headgate-sim, and plays
until it is noticed.

    tests/simulation/planted.py BUILD_FOLDER [--runs N] [--jobs N] [--only WORD]

Prints for each bug the seed that showed it. Exits with 1 when one was not caught, or when a text that a bug replaces
is not in its file exactly once: then the table below is to be brought up to date.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ["CMakeLists.txt", "cmd", "providers", "reconciler", "state", "tests"]
C = "reconciler/converge/"
P = "reconciler/plan/"
A = "providers/alicloud/"

# (what is wrong, file, text, instead)
BUGS = [
    ("the token is drawn anew for each attempt", C + "start.c",
     "    if (run->token_fresh && strcmp(hash, run->request_hash) == 0) return true;\n", ""),
    ("the token of an open intent is not used again", C + "start.c",
     "    if (!run->resumed) c->generation_of[change]++;\n", "    c->generation_of[change]++;\n"),
    ("the token does not depend on the generation", C + "start.c",
     '(void)snprintf(number, sizeof number, "%u", run->generation);',
     '(void)snprintf(number, sizeof number, "%u", 1u);'),
    ("the token does not depend on the address", C + "start.c",
     "digest_put_text(&d, text_of(address_format(ch->kind, ch->name, text)));", "(void)text;"),
    ("no intent is written", C + "start.c", "        note_intent(c, s, r);\n", ""),
    ("what is about to be made is not recorded", C + "notes.c", "        note_tentative(c, s);\n", "        (void)note_tentative;\n"),
    ("the old one of two entries is not recorded", C + "notes.c",
     "    if (change->old != NULL && world_find(c->world, change->kind, text_of(change->old->id)) != NULL)\n"
     "        note_old(c, change);\n", "    (void)note_old;\n"),
    ("an accepted request settles its intent at once", C + "outcome.c",
     "            settle_attempt(c, step_of(c, s)->change);\n",
     "            settle_change(c, step_of(c, s)->change);\n"),
    ("what was made is not waited for", C + "outcome.c",
     "    run->state = STEP_SETTLING;\n    int64_t first",
     "    if (verb != VERB_DELETE && run->observed != NULL) {\n        step_finish(c, s);\n        return;\n    }\n"
     "    run->state = STEP_SETTLING;\n    int64_t first"),
    ("an unknown outcome counts as refused", C + "outcome.c",
     "[OUTCOME_UNKNOWN] = unknown,", "[OUTCOME_UNKNOWN] = refused,"),
    ("an unknown outcome is repeated without a look and with another token", C + "outcome.c",
     "    look(c, s, LOOK_UNKNOWN, backoff_ms(c, run->n_attempts));\n",
     "    run->token_fresh = false;\n    run->request = NULL;\n    step_again(c, s, backoff_ms(c, run->n_attempts));\n"),
    ("a deletion that found nothing counts as failed", C + "outcome.c",
     "    if (step_of(c, s)->verb != VERB_DELETE) {\n        step_fail(c, s, ERR_STALE",
     "    {\n        step_fail(c, s, ERR_STALE"),
    ("what exists already is a failure", C + "outcome.c", "[OUTCOME_EXISTS] = exists,", "[OUTCOME_EXISTS] = refused,"),
    ("a failed status counts as ready", C + "poll.c",
     "    if (!deleting && o->phase == PHASE_FAILED)\n", "    if (!deleting && o->phase == PHASE_FAILED && c == NULL)\n"),
    ("what is in the making counts as ready", C + "poll.c",
     "    else if (!deleting && o->phase == PHASE_READY) {", "    else if (!deleting) {"),
    ("an end that cannot be seen settles the intent", C + "converge.c",
     "code != ERR_TIMEOUT && !run->blind)", "code != ERR_TIMEOUT)"),
    ("a failed step releases those that need it", C + "converge.c",
     '    trace(c, s, "failed: %s", message);\n    release_users(c, s, true);',
     '    trace(c, s, "failed: %s", message);\n    release_users(c, s, false);'),
    ("a young entry is forgotten", C + "converge.c",
     "    return unsettled && age > -lag && age < lag;", "    return false && unsettled && age < lag;"),
    ("serial keys are not taken", C + "start.c",
     "    if (!take_keys(c, s, keys, n_keys)) return STARTED_NOT;\n", "    (void)n_keys;\n"),
    ("deletions do not wait for what refers to them", P + "order.c",
     "            edges_of_leaving(o, c, o->delete_step[k], true);", "            (void)edges_of_leaving;"),
    ("creations do not wait for their parents", P + "order.c",
     "    if (change != UINT32_MAX) add_edge(o, step, o->apply_step[change], false);", "    (void)step;"),
    ("a key is taken before it was left", P + "order.c",
     "        if (o->apply_step[k] != NO_STEP) edges_of_key(o, c, o->apply_step[k]);\n", "        (void)edges_of_key;\n"),
    ("the lower incarnation wins", P + "bind.c",
     "return a_number == b_number ? 0 : a_number > b_number ? -1 : 1;",
     "return a_number == b_number ? 0 : a_number > b_number ? 1 : -1;"),
    ("the new one has the incarnation of the old one", P + "plan.c",
     "c->observed->incarnation), 1u) + 1;", "c->observed->incarnation), 1u);"),
    ("the incarnation is not tagged", A + "tags.c", "    if (g->incarnation <= 1) return;\n", "    if (g->incarnation != 0) return;\n"),
    ("ownership is not tagged when something is made", A + "tags.c",
     "    if (g->stack.ptr != NULL) add_ownership(g, out, &n);\n", "    (void)add_ownership;\n"),
    ("everything that is tagged may be pruned, whosoever it is", P + "undesired.c",
     "            if (o->owner_stack.ptr == NULL || !text_equal(o->owner_stack, b->options->stack)) continue;\n            uint32_t i",
     "            if (o->owner_stack.ptr == NULL) continue;\n            uint32_t i"),
    ("natural keys are not looked up", P + "bind.c",
     "    struct object *o = keyed                                                   ? find_key(b, r, values)",
     "    struct object *o = keyed && b == NULL                                      ? find_key(b, r, values)"),
    ("what was left behind is kept", P + "undesired.c", "    if (b->n_left_behind == 0) return;\n",
     "    if (b->n_left_behind < 1000000) return;\n"),
    ("attempts of dead runs are not looked for", P + "undesired.c",
     "    return c.n_diffs == 0 ? o : NULL;\n}\n\nstatic void decide_tentative", "    return NULL;\n}\n\nstatic void decide_tentative"),
    ("what is not listed is gone", P + "observe.c", "    if (round >= 2)\n        return scopes_again(", "    if (round >= 2) return ERR_OK;\n    if (round >= 9)\n        return scopes_again("),
    ("lists end after their first page", A + "list.c",
     "    if (n_items == 0 || !more) return ERR_OK;\n", "    if (n_items > 0 || !more) return ERR_OK;\n"),
    ("a page is skipped", A + "list.c",
     '"%llu", (unsigned long long)number + 1);', '"%llu", (unsigned long long)number + 2);'),
    ("a call does not wait for its intent", C + "converge.c",
     "    out->calls = c->calls;\n", "    release_durable(c);\n    out->calls = c->calls;\n"),
    ("generations start anew after a restart", C + "converge.c",
     "c->generation_of[k] = g == NULL ? recorded : MAX_OF(g->generation, recorded);",
     "c->generation_of[k] = g == NULL ? recorded : 0;"),
    ("the token does not depend on the state's id", C + "start.c", "    digest_put_text(&d, c->options.state_id);\n", ""),
    ("what is denied is sent again", C + "outcome.c", "[OUTCOME_DENIED] = refused,", "[OUTCOME_DENIED] = retry,"),
    ("what a quota refuses is sent again", C + "outcome.c", "[OUTCOME_QUOTA] = refused,", "[OUTCOME_QUOTA] = retry,"),
    ("what is busy is a failure", C + "outcome.c", "[OUTCOME_BUSY] = retry, ", "[OUTCOME_BUSY] = refused, "),
    ("throttling is a failure", C + "outcome.c", "[OUTCOME_THROTTLED] = throttled,", "[OUTCOME_THROTTLED] = refused,"),
    ("a passing fault is a failure", C + "outcome.c", "[OUTCOME_TRANSIENT] = retry,", "[OUTCOME_TRANSIENT] = refused,"),
    ("what exists already is made under another token", C + "outcome.c",
     "    look(c, s, LOOK_EXISTS, 0);\n",
     "    c->runs[s].token_fresh = false;\n    c->runs[s].request = NULL;\n    step_again(c, s, 1000);\n"),
    ("a deletion is not waited for", C + "poll.c",
     "    if (step_of(c, s)->verb == VERB_DELETE && o == NULL) {\n", "    if (step_of(c, s)->verb == VERB_DELETE) {\n"),
    ("a late list with a gap is an end", C + "poll.c",
     "    if (c->now_ms - run->absent_since_ms <= patience) return;\n",
     "    if (c->now_ms - run->accepted_ms <= patience) return;\n"),
    ("what is not seen for a minute is made with another token", C + "poll.c",
     "    run->blind = step_of(c, s)->verb == VERB_CREATE;\n", ""),
    ("what an earlier run made and somebody deleted is waited for for ever", C + "poll.c",
     "    if (run->resumed) {\n", "    if (run->resumed && c == NULL) {\n"),
    ("what is said to be gone is not looked for", C + "start.c", " && !is_said_to_be_gone(c, s)) return false;\n    run->looked",
     " && (!is_said_to_be_gone(c, s) || c != NULL)) return false;\n    run->looked"),
    ("an attempt under another key is not looked for", C + "start.c", " && !is_attempt_out_of_sight(c, s)) return",
     " && (!is_attempt_out_of_sight(c, s) || c != NULL)) return"),
    ("an error page of a list is an empty list", A + "list.c",
     "    if (outcome->class != OUTCOME_DONE && !gone)\n        return",
     "    if (outcome->class != OUTCOME_DONE && !gone) return ERR_OK;\n    if (outcome->class != OUTCOME_DONE && !gone)\n        return"),
    ("our tags are not read", A + "list.c", "    read_owner(o, stack, address, incarnation);\n", "    (void)read_owner;\n"),
    ("a second entry is refused and not looked for", A + "outcome.c", '(op->flags & OP_CREATE) && strstr(code, "Duplicat") != NULL', '(op->flags & OP_CREATE) == UINT32_MAX'),
    ("a commit is not synced (found by unit-state-power)", "state/open.c",
     "PRAGMA synchronous = EXTRA", "PRAGMA synchronous = OFF"),
    ("drift is not compared", P + "compare.c",
     "    if (value_equal(field->type, wanted, seen)) return true;\n",
     "    if (field->type == FIELD_TEXT || value_equal(field->type, wanted, seen)) return true;\n"),
]


def copy_sources(folder):
    for name in FOLDERS:
        source, target = SOURCE / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy(source, target)


def build(folder, target="headgate-sim"):
    done = subprocess.run(["ninja", "-C", folder, target], capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stdout[-3000:])
        sys.exit(f"cannot build in {folder}")


def play(program, runs, jobs):
    """What showed it: "seed 17", "a counter", or None."""
    done = subprocess.run([program, "--runs", str(runs), "--jobs", str(jobs), "--no-shorten", "--counters"],
                          capture_output=True, text=True)
    seeds = [int(s) for s in re.findall(r"^seed (\d+) failed", done.stdout, re.MULTILINE)]
    if seeds:
        return f"seed {min(seeds)}"
    zero = re.search(r"^ +0  (?:headgate )?(.*)$", done.stdout, re.MULTILINE)
    return f"never: {zero[1]}" if zero and done.returncode != 0 else None


def by_program(objects, name):
    """Bugs that another test is there for say so in their name."""
    build(objects, name)
    done = subprocess.run([objects / "tests" / name], capture_output=True, text=True)
    return f"by {name}" if done.returncode != 0 else None


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    args.add_argument("folder", type=pathlib.Path)
    args.add_argument("--runs", type=int, default=10000)
    args.add_argument("--jobs", type=int, default=2)
    args.add_argument("--only", default="")
    o = args.parse_args()
    tree, objects = o.folder.resolve() / "tree", o.folder.resolve() / "build"
    tree.mkdir(parents=True, exist_ok=True)
    copy_sources(tree)
    # Warnings are not errors here: a planted bug may leave something unused.
    subprocess.run(["cmake", "-S", tree, "-B", objects, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                    "-DCMAKE_C_FLAGS=-w -Wno-error", "-DCMAKE_C_FLAGS_RELEASE=-O1"], check=True, stdout=subprocess.DEVNULL)
    build(objects)
    missed = []
    for name, file, text, instead in BUGS:
        if o.only not in name:
            continue
        path = tree / file
        good = path.read_text()
        if good.count(text) != 1:
            print(f"{name}: its text is {good.count(text)} times in {file}")
            missed.append(name)
            continue
        path.write_text(good.replace(text, instead))
        other = re.search(r"\(found by ([\w-]+)\)", name)
        if other:
            shown = by_program(objects, other[1])
        else:
            build(objects)
            shown = play(objects / "tests/headgate-sim", o.runs, o.jobs)
        path.write_text(good)
        print(f"{shown or 'NOT CAUGHT':>12}  {name}", flush=True)
        if shown is None:
            missed.append(name)
    print(f"{len(missed)} not caught" if missed else "all caught")
    sys.exit(1 if missed else 0)


main()
