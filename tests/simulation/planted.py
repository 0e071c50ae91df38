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
     "if (!is_open_request(c, s, find_generation(c, ch), operation)) c->generation_of[change]++;",
     "c->generation_of[change]++;"),
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
    ("a look finds what is to be replaced", C + "outcome.c",
     "    if (change->observed != NULL && strcmp(o->id, change->observed->id) == 0) return false;\n", ""),
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
    ("another stack's objects count as ours", "reconciler/model/world.c",
     "    case BY_OWNER: return text_equal(o->owner_name, p->name) && text_equal(o->owner_stack, p->stack);",
     "    case BY_OWNER: return text_equal(o->owner_name, p->name);"),
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


def build(tree, folder):
    done = subprocess.run(["ninja", "-C", folder, "headgate-sim"], capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stdout[-3000:])
        sys.exit(f"cannot build in {folder}")


def play(program, runs, jobs):
    done = subprocess.run([program, "--runs", str(runs), "--jobs", str(jobs), "--no-shorten"], capture_output=True,
                          text=True)
    seeds = [int(s) for s in re.findall(r"^seed (\d+) failed", done.stdout, re.MULTILINE)]
    return min(seeds) if seeds else None


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
                    "-DCMAKE_C_FLAGS=-w -Wno-error"], check=True, stdout=subprocess.DEVNULL)
    build(tree, objects)
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
        build(tree, objects)
        seed = play(objects / "tests/headgate-sim", o.runs, o.jobs)
        path.write_text(good)
        print(f"{'seed %d' % seed if seed else 'NOT CAUGHT':>12}  {name}", flush=True)
        if seed is None:
            missed.append(name)
    print(f"{len(missed)} not caught" if missed else "all caught")
    sys.exit(1 if missed else 0)


main()
