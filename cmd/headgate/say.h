/* say.h - short lines that commands share. */
#pragma once

#include "reconciler/loop/pass.h"

/* "Reading 14.6 MiB of manifests..." to standard error, when that takes longer than a person likes to wait
 * without a word. */
void say_reading(const struct source *sources, size_t n);
/* "nat-hairpin: Refreshing state... [mock, cn-shanghai]": before what may take a while. Nothing when the
 * state is believed. */
void say_refreshing(struct pass *p, const struct pass_options *options);
/* The same where standard output is for machines: on standard error, when a person looks at it there. */
void say_refreshing_aside(struct pass *p, const struct pass_options *options);
/* That a dead process's lock was taken over, and that its work will be looked at first. */
void say_recovery(struct pass *p);
