/* sources.h - reads what -f names: files, folders and standard input.
 *
 * Blocking: called before the loop runs, or on a thread of its own.
 *
 * A folder is read with all folders below it, entries in bytewise order of their names; *.yaml and *.yml are
 * manifests, hidden entries (a leading dot: .git, and the ..data of a mounted ConfigMap) are skipped. A file
 * that is named itself is read whatever its name. Symbolic links are followed, to folders, too: a part of the
 * manifests that is silently left out would be a part to delete. The same file or folder, reached twice, is
 * read once.
 *
 * What cannot be read is an error, since a manifest that is missing means a resource to delete: a folder
 * without manifests, a link that leads nowhere or back up, FIFOs, sockets and devices, a file that changes
 * while it is read, and whatever exceeds reconciler/base/limits.h. */
#pragma once

#include "reconciler/base/arena.h"
#include "reconciler/base/diag.h"
#include "reconciler/base/err.h"
#include "reconciler/manifest/manifest.h"

/* Reads all of 'paths', in the order given; "-" is standard input, at most once. Diagnostics tell everything
 * that is wrong, not the first alone; they name the path and have no position.
 *
 * Owner:  *out and the names belong to 'arena', the bytes to 'bytes' (which may be the same): positions name
 *         files for as long as anything is told, the bytes are of no use once they are loaded. Names are
 *         escaped where they hold what a terminal would act on.
 * Errors: ERR_INPUT with at least one error diagnostic, also for no paths at all; ERR_NOMEM. On error *out is
 *         untouched. Warnings may come with success. */
MUST_CHECK enum err_code sources_read(struct arena *arena, struct arena *bytes, const char *const *paths,
                                      size_t n_paths, struct diags *diags, struct source **out, size_t *n_out,
                                      struct err *err);
