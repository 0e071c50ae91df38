/* state_access.h - the state file, for commands that work on it without a pass. */
#pragma once

#include "cmd/headgate/app.h"
#include "state/store.h"

/* Opens the state. When it is to be written (or 'must_exist') and there is no file: ERR_INPUT, so that a
 * mistyped path does not make one. */
MUST_CHECK enum err_code state_open(struct app *app, enum store_mode mode, bool must_exist,
                                    struct store **out, struct err *err);
/* --stack, else the only one there is, else "default" when there is none. ERR_INPUT when it is not clear, or
 * when the state does not know the one given. */
MUST_CHECK enum err_code state_stack(struct app *app, struct store *s, struct text *out, struct err *err);
/* Opens for writing, chooses the stack and takes its lock (waiting for --lock-timeout). */
MUST_CHECK enum err_code state_open_locked(struct app *app, const char *operation, struct store **out,
                                           struct text *stack, struct err *err);
/* Releases the lock and closes; a lock that was broken meanwhile is ERR_STALE. */
MUST_CHECK enum err_code state_close_locked(struct store *s, struct text stack, struct err *err);
/* "Kind/name" of the command line, where the kind may be a plural or short name as in `get`: whoever shows
 * the address formats it anew. ERR_INPUT with the nearest kind. */
MUST_CHECK enum err_code state_address(const char *text, enum kind *kind, struct text *name, struct err *err);
/* The same of an address that something gets: also ERR_INPUT when no manifest could say it. Other characters
 * tell what headgate itself records of things in the making. */
MUST_CHECK enum err_code state_new_address(const char *text, enum kind *kind, struct text *name,
                                           struct err *err);
/* The record of an address. ERR_INPUT when there is none, with the nearest one. */
MUST_CHECK enum err_code state_find(const struct records *records, const char *address,
                                    const struct record **out, struct err *err);
