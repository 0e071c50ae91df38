/* migrate.h - the tables of the state file, as steps from one version to the next. Private to state/. */
#pragma once

#include "reconciler/base/err.h"

#include <sqlite3.h>
#include <stdint.h>

/* Step i leads from version i to i + 1. */
struct migration {
    const char *sql;
    /* What SQL alone cannot do; may be NULL. */
    enum err_code (*also)(sqlite3 *db, const char *path, struct err *err);
};

extern const struct migration store_migrations[];

/* Takes the database from its version to 'n_steps', all steps in one transaction: an interrupted or failed
 * migration leaves the file at the version that it had. ERR_STATE when its version is above 'n_steps'. */
MUST_CHECK enum err_code migrate(sqlite3 *db, const char *path, const struct migration *steps, int n_steps,
                                 struct err *err);

/* ERR_STATE: this headgate is too old for the file. */
enum err_code err_newer(struct err *err, const char *path, int64_t found, int known);

/* One integer that a PRAGMA or SELECT gives. */
MUST_CHECK enum err_code query_int(sqlite3 *db, const char *path, const char *sql, int64_t *out,
                                   struct err *err);
