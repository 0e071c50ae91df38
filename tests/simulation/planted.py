#!/usr/bin/env python3
"""Has the simulation teeth? Plants one bug after the other and plays until it is noticed.

    tests/simulation/planted.py BUILD [--within N] [--runs N] [--jobs N] [--only PATTERN]

BUILD is a Ninja build of headgate-sim: `scripts/simulate` leaves one in build/simulate-gcc. It is brought up to date;
then each bug takes one compilation of its file, and a link in which that stands before the libraries. Nothing in the
sources is touched.

Prints for each bug the seed that showed it; since they are played from 1 on, that is how many lives it took. Exits with
1 when one was not caught, or when a text that a bug replaces is not in its file exactly once: then the table below is to
be brought up to date. --within N plays only the bugs of which the table says that so many lives are enough, each no
longer than that; scripts/simulate does so. What not even 10,000 lives show has a larger number, and is left out.
"""
import argparse
import concurrent.futures
import json
import pathlib
import re
import shlex
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
C = "reconciler/converge/"
P = "reconciler/plan/"
A = "providers/alicloud/"

# (what is wrong, lives that are enough, file, text, instead)
BUGS = [
    ("after an unknown outcome the token is another one", 40, C + "outcome.c",
     "    look(c, s, LOOK_UNKNOWN, backoff_ms(c, run->n_attempts));\n",
     "    run->token_fresh = false;\n    run->request = NULL;\n"
     "    look(c, s, LOOK_UNKNOWN, backoff_ms(c, run->n_attempts));\n"),
    ("the token of an open intent is not used again", 400, C + "start.c",
     "    if (!run->resumed) c->generation_of[change]++;\n", "    c->generation_of[change]++;\n"),
    ("the token does not depend on the generation", 40, C + "start.c",
     '(void)snprintf(number, sizeof number, "%u", run->generation);',
     '(void)snprintf(number, sizeof number, "%u", 1u);'),
    ("the token does not depend on the address", 40, C + "start.c",
     "digest_put_text(&d, text_of(address_format(ch->kind, c->intent_names[change], text)));", "(void)text;"),
    ("no intent is written", 40, C + "start.c", "        note_intent(c, s, r);\n", ""),
    ("what is about to be made is not recorded", 400, C + "notes.c", "        note_tentative(c, s);\n", "        (void)note_tentative;\n"),
    ("the old one of two entries is not recorded", 400, C + "notes.c",
     "        note_old(c, change);\n}\n\nvoid note_event", "        (void)note_old;\n}\n\nvoid note_event"),
    ("an accepted request settles its intent at once", 400, C + "outcome.c",
     "            settle_attempt(c, step_of(c, s)->change);\n",
     "            settle_change(c, step_of(c, s)->change);\n"),
    ("what was made is not waited for", 40, C + "outcome.c",
     "    run->state = STEP_SETTLING;\n    int64_t first",
     "    if (verb != VERB_DELETE && run->observed != NULL) {\n        step_finish(c, s);\n        return;\n    }\n"
     "    run->state = STEP_SETTLING;\n    int64_t first"),
    ("an unknown outcome counts as refused", 40, C + "outcome.c",
     "[OUTCOME_UNKNOWN] = unknown,", "[OUTCOME_UNKNOWN] = refused,"),
    ("an unknown outcome is repeated without a look and with another token", 40, C + "outcome.c",
     "    look(c, s, LOOK_UNKNOWN, backoff_ms(c, run->n_attempts));\n",
     "    run->token_fresh = false;\n    run->request = NULL;\n    step_again(c, s, backoff_ms(c, run->n_attempts));\n"),
    ("a look finds what is to be replaced", 40, C + "outcome.c",
     "    if (change->observed != NULL && strcmp(o->id, change->observed->id) == 0) return false;\n"
     "    return (!has_twin || o->incarnation == change->incarnation) && !is_anothers(c, change, o);\n",
     "    return !is_anothers(c, change, o);\n"),
    ("a deletion that found nothing counts as failed", 400, C + "outcome.c",
     "    if (step_of(c, s)->verb != VERB_DELETE) {\n        step_fail(c, s, ERR_STALE",
     "    {\n        step_fail(c, s, ERR_STALE"),
    ("what exists already is a failure", 400, C + "outcome.c", "[OUTCOME_EXISTS] = exists,", "[OUTCOME_EXISTS] = refused,"),
    ("a failed status counts as ready", 400, C + "poll.c",
     "    if (!deleting && o->phase == PHASE_FAILED)\n"
     '        step_fail(c, s, ERR_PROVIDER, "the cloud reports status %s", o->status);\n'
     "    else if (!deleting && o->phase == PHASE_READY) {",
     "    if (!deleting && (o->phase == PHASE_READY || o->phase == PHASE_FAILED)) {"),
    ("what the cloud failed to make is kept", 400, P + "plan.c",
     "b->bindings[i].object->phase == PHASE_FAILED && r->lifecycle->management == MANAGE_ENFORCE", "false"),
    ("what is in the making counts as ready", 40, C + "poll.c",
     "    else if (!deleting && o->phase == PHASE_READY) {", "    else if (!deleting) {"),
    ("an end that cannot be seen settles the intent", 400, C + "converge.c",
     "code != ERR_TIMEOUT && !run->blind && !run->unsure;", "code != ERR_TIMEOUT && !run->unsure;"),
    ("a refusal settles what may still take effect", 40000, C + "converge.c",
     "code != ERR_TIMEOUT && !run->blind && !run->unsure;", "code != ERR_TIMEOUT && !run->blind;"),
    ("what was left behind shares the intents of its address", 100000, C + "converge.c",
     "    if (change->reason != REASON_LEFT_BEHIND || !kind_is_taggable(change->kind)) return change->name;\n",
     "    if (change != NULL) return change->name;\n"),
    ("intents of dead runs are kept for ever", 40, C + "converge.c",
     "        if (g->open && !is_planned(c, g))", "        if (g->open && c == NULL)"),
    ("a generation is used again after a restart", 40, C + "converge.c",
     "c->generation_of[k] = g == NULL ? recorded : MAX_OF(g->generation, recorded);",
     "c->generation_of[k] = g == NULL || !g->open ? recorded : MAX_OF(g->generation, recorded);"),
    ("a call is made although its intent is not durable", 40, C + "converge.c",
     "        if (ev->code == ERR_OK)\n            release_durable(c);",
     "        if (ev->code != ERR_NOMEM)\n            release_durable(c);"),
    ("a call does not wait for its intent", 40, C + "converge.c",
     "    out->persist = c->given;\n", "    release_durable(c);\n    out->persist = c->given;\n"),
    ("what is denied is tried again", 40, C + "outcome.c",
     "[OUTCOME_DENIED] = refused,   [OUTCOME_INVALID]", "[OUTCOME_DENIED] = retry,   [OUTCOME_INVALID]"),
    ("what is busy is given up", 40, C + "outcome.c", "[OUTCOME_BUSY] = retry,", "[OUTCOME_BUSY] = refused,"),
    ("what is throttled is given up", 400, C + "outcome.c",
     "[OUTCOME_THROTTLED] = throttled,", "[OUTCOME_THROTTLED] = refused,"),
    ("what passes is given up", 40, C + "outcome.c",
     "[OUTCOME_TRANSIENT] = retry,", "[OUTCOME_TRANSIENT] = refused,"),
    ("a list that failed counts as an empty one", 100000, C + "poll.c",
     "    if (o->class == OUTCOME_GONE) { /* the parent", "    if (o->class != OUTCOME_DENIED) { /* the parent"),
    ("what a dead run made is not waited for until it is listed", 10000, C + "poll.c",
     "    bool may_lag = why == LOOK_LOST || why == LOOK_EXISTS;\n", "    bool may_lag = false;\n"),
    ("garbage counts as an answer", 400, A + "outcome.c",
     "    else\n        out->class = OUTCOME_UNKNOWN;\n}\n", "    else\n        out->class = OUTCOME_DONE;\n}\n"),
    ("a duplicate counts as wrong", 10000, A + "outcome.c",
     'strstr(code, "Duplicat") != NULL) return OUTCOME_EXISTS;', 'strstr(code, "Duplicat") != NULL) return OUTCOME_INVALID;'),
    ("the incarnation is not read", 40, A + "list.c",
     "        o->incarnation = (uint32_t)number;\n", "        o->incarnation = 0;\n"),
    ("writes are not synced", 400, "state/open.c", '"PRAGMA synchronous = EXTRA"', '"PRAGMA synchronous = OFF"'),
    ("writes are not synced at each commit", 400, "state/open.c",
     '"PRAGMA synchronous = EXTRA"', '"PRAGMA synchronous = NORMAL"'),
    ("two may hold the lock", 40, "state/lock.c",
     "    if (held && !is_dead(&lock, &self)) {", "    if (held && !is_dead(&lock, &self) && s == NULL) {"),
    ("a broken lock is not noticed", 40, "state/lock.c",
     "    if (mine == NULL) return ERR_OK;\n    struct lock_row lock;",
     "    if (mine == NULL || s != NULL) return ERR_OK;\n    struct lock_row lock;"),
    ("a dead run holds its lock for ever", 400, "state/lock.c",
     "    if (strcmp(h->host, self->holder.host) != 0) return false;\n", "    if (h != NULL) return false;\n"),
    ("the store does not settle intents", 40, "state/write.c",
     "        return stmt_run(s, STMT_INTENT_SETTLE,", "        if (s != NULL) return ERR_OK;\n        return stmt_run(s, STMT_INTENT_SETTLE,"),
    ("the store forgets incarnations", 400, "state/records.c", "ARG_INT(r->incarnation))", "ARG_INT(0))"),
    ("the store does not raise generations", 400, "state/intents.c",
     "ARG_TEXT(i->name), ARG_INT(i->generation)), err);\n}", "ARG_TEXT(i->name), ARG_INT(0)), err);\n}"),
    ("a failed step releases those that need it", 400, C + "converge.c",
     '    trace(c, s, "failed: %s", message);\n    release_users(c, s, true);',
     '    trace(c, s, "failed: %s", message);\n    release_users(c, s, false);'),
    ("a young entry is forgotten", 10000, C + "converge.c",
     "    return unsettled && age < scaled(c, 60000, 1000);", "    return unsettled && age < scaled(c, 60000, 1000) && c == NULL;"),
    ("serial keys are not taken", 40, C + "start.c",
     "    if (!take_keys(c, s, keys, n_keys)) return STARTED_NOT;\n", "    (void)n_keys;\n"),
    ("deletions do not wait for what refers to them", 40, P + "order.c",
     "            edges_of_leaving(o, c, o->delete_step[k], true);", "            (void)edges_of_leaving;"),
    ("creations do not wait for their parents", 40, P + "order.c",
     "    if (change != UINT32_MAX) add_edge(o, step, o->apply_step[change], false);", "    (void)step;"),
    ("a key is taken before it was left", 400, P + "order.c",
     "        if (o->apply_step[k] != NO_STEP) edges_of_key(o, c, o->apply_step[k]);\n", "        (void)edges_of_key;\n"),
    ("the lower incarnation wins", 100000, P + "bind.c",
     "return a_number == b_number ? 0 : a_number > b_number ? -1 : 1;",
     "return a_number == b_number ? 0 : a_number > b_number ? 1 : -1;"),
    ("the new one has the incarnation of the old one", 40, P + "plan.c",
     "c->observed->incarnation), 1u) + 1;", "c->observed->incarnation), 1u);"),
    ("the incarnation is not tagged", 40, A + "tags.c", "    if (g->incarnation <= 1) return;\n", "    if (g->incarnation != 0) return;\n"),
    ("ownership is not tagged when something is made", 40, A + "tags.c",
     "    if (g->stack.ptr != NULL) add_ownership(g, out, &n);\n", "    (void)add_ownership;\n"),
    ("another stack's objects count as ours", 40, A + "list.c",
     "    o->owner_stack = text_of(stack);\n", '    o->owner_stack = text_of("default");\n'),
    ("everything that is tagged may be pruned, whosoever it is", 40, P + "undesired.c",
     "            if (o->owner_stack.ptr == NULL || !text_equal(o->owner_stack, b->options->stack)) continue;\n            uint32_t i",
     "            if (o->owner_stack.ptr == NULL) continue;\n            uint32_t i"),
    ("natural keys are not looked up", 40, P + "bind.c",
     "    struct object *o = keyed                                                   ? find_key(b, r, values)",
     "    struct object *o = keyed && b == NULL                                      ? find_key(b, r, values)"),
    ("what was left behind is kept", 10000, P + "undesired.c", "    if (b->n_left_behind == 0) return;\n",
     "    if (b->n_left_behind < 1000000) return;\n"),
    ("attempts of dead runs are not looked for", 400, P + "undesired.c",
     "    return c.n_diffs == 0 ? o : NULL;\n}\n\nstatic void decide_tentative", "    return NULL;\n}\n\nstatic void decide_tentative"),
    ("what is not listed is gone", 10000, P + "observe.c", "    if (round >= 2)\n        return scopes_again(", "    if (round >= 2) return ERR_OK;\n    if (round >= 9)\n        return scopes_again("),
    ("lists end after their first page", 40, A + "list.c",
     "    if (n_items == 0 || !more) return ERR_OK;\n", "    if (n_items > 0 || !more) return ERR_OK;\n"),
    ("a page is skipped", 40, A + "list.c",
     '"%llu", (unsigned long long)number + 1);', '"%llu", (unsigned long long)number + 2);'),
    ("drift is not compared", 40, P + "compare.c",
     "    if (value_equal(field->type, wanted, seen)) return true;\n",
     "    if (field->type == FIELD_TEXT || value_equal(field->type, wanted, seen)) return true;\n"),
    ("a deletion is not waited for", 40, C + "poll.c",
     "    if (step_of(c, s)->verb == VERB_DELETE && o == NULL) {\n", "    if (step_of(c, s)->verb == VERB_DELETE) {\n"),
    ("a late list with a gap is an end", 100000, C + "poll.c",
     "    if (c->now_ms - run->absent_since_ms <= patience) return;\n",
     "    if (c->now_ms - run->accepted_ms <= patience) return;\n"),
    ("what an earlier run made and somebody deleted is waited for for ever", 400, C + "poll.c",
     "    if (run->resumed) {\n", "    if (run->resumed && c == NULL) {\n"),
    ("what is said to be gone is not looked for", 100000, C + "start.c",
     " && !is_said_to_be_gone(c, s)) return false;\n    run->looked",
     " && (!is_said_to_be_gone(c, s) || c != NULL)) return false;\n    run->looked"),
    ("an attempt under another key is not looked for", 100000, C + "start.c",
     " && !is_attempt_out_of_sight(c, s)) return", " && (!is_attempt_out_of_sight(c, s) || c != NULL)) return"),
    ("a full quota is a failure although room will come", 10000, C + "outcome.c",
     "[OUTCOME_QUOTA] = no_room, ", "[OUTCOME_QUOTA] = refused, "),
    ("our tags are not read", 40, A + "list.c", "    read_owner(o, stack, address, incarnation);\n", "    (void)read_owner;\n"),
    ("the token does not depend on the state's id", 400, C + "start.c", "    digest_put_text(&d, c->options.state_id);\n", ""),
]


class Build:
    """A build of headgate-sim, and how its objects are compiled and linked."""

    def __init__(self, folder):
        self.folder = folder.resolve()
        subprocess.run(["ninja", "-C", self.folder, "headgate-sim"], check=True, stdout=subprocess.DEVNULL)
        rows = json.loads((self.folder / "compile_commands.json").read_text())
        self.compilations = {row["file"]: row["command"] for row in rows}
        commands = subprocess.run(["ninja", "-C", self.folder, "-t", "commands", "headgate-sim"], check=True,
                                  capture_output=True, text=True).stdout.splitlines()
        self.link = shlex.split(commands[-1].removeprefix(": && ").removesuffix(" && :"))

    def compile(self, number, file, source):
        """The object of a file with another text."""
        room = self.folder / "planted" / str(number)
        room.mkdir(parents=True, exist_ok=True)
        changed, made = room / pathlib.Path(file).name, room / "bug.o"
        changed.write_text(source)
        words = shlex.split(self.compilations[str(SOURCE / file)])
        kept = [w for w in words[:words.index("-o")] if w not in ("-MD", "-Werror")]
        while "-MT" in kept or "-MF" in kept:
            at = kept.index("-MT" if "-MT" in kept else "-MF")
            del kept[at:at + 2]
        # A planted bug may leave something unused.
        subprocess.run(kept + ["-w", "-o", made, "-c", changed], check=True, cwd=self.folder)
        return made

    def program(self, number, file, source):
        bug = self.compile(number, file, source)
        output, program = self.link.index("-o"), bug.with_name("headgate-sim")
        words = self.link[:output] + ["-o", program, bug] + self.link[output + 2:]
        subprocess.run(words, check=True, cwd=self.folder)
        return program


def play(program, runs):
    done = subprocess.run([program, "--runs", str(runs), "--no-shorten"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True)
    found = re.search(r"^seed (\d+) failed", done.stdout, re.MULTILINE)
    return int(found.group(1)) if found else None


def plant(build, number, runs):
    name, within, file, text, instead = BUGS[number]
    good = (SOURCE / file).read_text()
    if good.count(text) != 1:
        return name, f"its text is {good.count(text)} times in {file}", False
    program = build.program(number, file, good.replace(text, instead))
    seed = play(program, runs or within)
    program.unlink()
    return name, f"NOT CAUGHT in {runs or within}" if seed is None else f"seed {seed}", seed is not None


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    args.add_argument("build", type=pathlib.Path)
    args.add_argument("--within", type=int, default=10000, help="leaves out what takes more lives than that")
    args.add_argument("--runs", type=int, default=0, help="lives of each, instead of what the table says")
    args.add_argument("--jobs", type=int, default=2)
    args.add_argument("--only", default="", help="a regular expression of names")
    o = args.parse_args()
    build = Build(o.build)
    chosen = [k for k, bug in enumerate(BUGS) if re.search(o.only, bug[0]) and bug[1] <= o.within]
    n_missed = 0
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        for name, said, caught in pool.map(lambda k: plant(build, k, o.runs), chosen):
            print(f"{said:>12}  {name}", flush=True)
            n_missed += not caught
    print(f"{n_missed} of {len(chosen)} not caught" if n_missed else f"all {len(chosen)} caught")
    sys.exit(1 if n_missed else 0)


if __name__ == "__main__":
    main()
