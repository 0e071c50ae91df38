/* records.c - what is recorded of each resource, and how often its address was created. */
#include "state/store.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/base/limits.h"
#include "state/codec.h"
#include "state/sqlite.h"

/* ---- reading ---- */

/* Neighbouring records of a kind mostly have the same fields set: the text is compared before it is parsed.
 */
struct last_given {
    struct text text; /* in the arena; .ptr NULL: none */
    uint64_t set_fields;
};

static enum err_code read_given(sqlite3_stmt *row, const struct kind_info *info, struct arena *a,
                                struct last_given *last, uint64_t *out, struct err *err)
{
    struct text given = column_slice(row, 3);
    if (last->text.ptr == NULL || !text_equal(given, last->text)) {
        TRY(codec_get_given(info, given, &last->set_fields, err));
        last->text = arena_text(a, given);
        if (last->text.ptr == NULL) return err_nomem(err);
    }
    *out = last->set_fields;
    return ERR_OK;
}

/* A stack's records as they are read: a walk beside the desired resources, which are in the same order. */
struct reading {
    struct arena *arena;
    const struct desired *desired; /* or NULL */
    uint32_t at;                   /* no desired resource before this one comes behind the last record */
    struct records records;
    size_t capacity;
};

/* The desired resource of an address that comes behind all that were asked for, or NULL. */
static const struct resource *desired_of(struct reading *r, enum kind kind, struct text name)
{
    int order = -1;
    while (r->desired != NULL && r->at < r->desired->n) {
        const struct resource *d = &r->desired->items[r->at];
        order = address_compare(d->kind, d->name, kind, name);
        if (order >= 0) return order == 0 ? d : NULL;
        r->at++;
    }
    return NULL;
}

/* Columns of STMT_RECORD_LIST. 'before' is another record of the kind, or NULL. */
static enum err_code read_record(struct reading *r, sqlite3_stmt *row, enum kind kind,
                                 struct last_given *last, const struct record *before, struct record *out,
                                 struct err *err)
{
    const struct kind_info *info = kind_info(kind);
    struct arena *a = r->arena;
    const struct resource *desired = desired_of(r, kind, column_slice(row, 0));
    *out = (struct record){
        .kind = kind,
        .name = desired != NULL ? desired->name : column_text(row, 0, a),
        .id = column_str(row, 1, a),
        .generation = (uint32_t)sqlite3_column_int64(row, 2), /* in range: the table checks it */
        .values = arena_array_of(a, info->n_fields, struct value),
        .prevent_destroy = sqlite3_column_int(row, 5) != 0,
        .orphan_on_removal = sqlite3_column_int(row, 6) != 0,
        .observed_only = sqlite3_column_int(row, 7) != 0,
        .applied_unix_ms = sqlite3_column_int64(row, 8),
        .incarnation = (uint32_t)sqlite3_column_int64(row, 9),
    };
    if (out->name.ptr == NULL || out->id == NULL || out->values == NULL) return err_nomem(err);
    TRY(read_given(row, info, a, last, &out->set_fields, err));
    struct codec_like like = {.wanted = desired == NULL ? NULL : desired->values,
                              .values = before == NULL ? NULL : before->values,
                              .name = out->name};
    return codec_get_fields(a, info, column_slice(row, 4), &like, out->values, err);
}

static enum err_code wrap_row(const struct store *s, enum kind kind, struct text name, enum err_code code,
                              struct err *err)
{
    char name_shown[SHOWN_SIZE];
    if (code == ERR_STATE)
        return err_wrap(err,
                        "%s: the record of %s/%s cannot be read; `headgate state rm` it, then `headgate state"
                        " rebuild`",
                        s->path, kind_info(kind)->name, shown(name, name_shown));
    return code;
}

/* The kinds that a stack has rows of, in our order. */
struct kind_set {
    enum kind kinds[N_KINDS];
    size_t n;
};

static int compare_kinds(const void *a, const void *b)
{
    enum kind x = *(const enum kind *)a, y = *(const enum kind *)b;
    return x < y ? -1 : x > y;
}

static enum err_code list_kinds(struct store *s, enum stmt_id next_kind, int64_t stack, struct kind_set *out,
                                struct err *err)
{
    char after[64] = "";
    out->n = 0;
    for (;;) {
        CLEANUP(stmt_resetp) sqlite3_stmt *row = NULL;
        bool more;
        TRY(stmt_start(s, next_kind, ARGS(ARG_INT(stack), ARG_STR(after)), &row, err));
        TRY(stmt_next(s, row, &more, err));
        if (!more) break;
        enum kind kind;
        TRY(kind_of_row(s, column_slice(row, 0), column_slice(row, 1), &kind, err));
        ASSERT(out->n < N_KINDS);
        out->kinds[out->n++] = kind;
        (void)snprintf(after, sizeof after, "%s", kind_info(kind)->name); /* a known kind's name fits */
    }
    qsort(out->kinds, out->n, sizeof out->kinds[0], compare_kinds);
    return ERR_OK;
}

static enum err_code append_records(struct store *s, int64_t stack, enum kind kind, struct reading *reading,
                                    struct err *err)
{
    struct records *out = &reading->records;
    CLEANUP(stmt_resetp) sqlite3_stmt *row = NULL;
    struct last_given last = {0};
    uint32_t first = out->n;
    struct text kind_name = text_of(kind_info(kind)->name);
    TRY(stmt_start(s, STMT_RECORD_LIST, ARGS(ARG_INT(stack), ARG_TEXT(kind_name)), &row, err));
    for (;;) {
        bool more;
        TRY(stmt_next(s, row, &more, err));
        if (!more) return ERR_OK;
        if (out->n >= LIMIT_RESOURCES)
            return err_set(err, ERR_LIMIT, "%s: a stack has more than %d records", s->path, LIMIT_RESOURCES);
        if (!arena_extend(reading->arena, &out->items, sizeof *out->items, out->n, &reading->capacity))
            return err_nomem(err);
        struct record *r = &out->items[out->n];
        enum err_code code = read_record(reading, row, kind, &last, out->n > first ? r - 1 : NULL, r, err);
        if (code != ERR_OK) return wrap_row(s, kind, column_slice(row, 0), code, err);
        out->n++;
    }
}

enum err_code store_records(struct store *s, struct text stack, const struct desired *desired,
                            struct arena *a, struct records *out, struct err *err)
{
    CLEANUP(txn_endp) struct store *txn = NULL; /* all lists see the same state */
    struct reading reading = {.arena = a, .desired = desired};
    struct kind_set kinds;
    int64_t id;
    TRY(txn_begin(s, TXN_READ, &txn, err));
    TRY(stack_find(s, stack, &id, err));
    TRY(list_kinds(s, STMT_RECORD_NEXT_KIND, id, &kinds, err));
    for (size_t i = 0; i < kinds.n; i++) TRY(append_records(s, id, kinds.kinds[i], &reading, err));
    *out = reading.records;
    return ERR_OK;
}

enum err_code store_stacks(struct store *s, struct arena *a, struct text **out, size_t *n, struct err *err)
{
    CLEANUP(stmt_resetp) sqlite3_stmt *row = NULL;
    struct text *names = NULL;
    size_t count = 0, capacity = 0;
    TRY(stmt_start(s, STMT_STACK_LIST, NO_ARGS, &row, err));
    for (;;) {
        bool more;
        TRY(stmt_next(s, row, &more, err));
        if (!more) break;
        if (!arena_grow(a, &names, sizeof *names, count, &capacity)) return err_nomem(err);
        names[count] = column_text(row, 0, a);
        if (names[count++].ptr == NULL) return err_nomem(err);
    }
    *out = names;
    *n = count;
    return ERR_OK;
}

enum err_code store_owner_of(struct store *s, enum kind kind, const char *id, struct arena *a,
                             struct text *stack, struct text *name, struct err *err)
{
    CLEANUP(stmt_resetp) sqlite3_stmt *row = NULL;
    struct text found[2] = {{0}, {0}};
    bool more;
    TRY(stmt_start(s, STMT_RECORD_OWNER, ARGS(ARG_STR(kind_info(kind)->name), ARG_STR(id)), &row, err));
    TRY(stmt_next(s, row, &more, err));
    if (more) {
        found[0] = column_text(row, 0, a);
        found[1] = column_text(row, 1, a);
        if (found[0].ptr == NULL || found[1].ptr == NULL) return err_nomem(err);
    }
    *stack = found[0];
    *name = found[1];
    return ERR_OK;
}

/* ---- generations ---- */

enum err_code store_generation(struct store *s, struct text stack, enum kind kind, struct text name,
                               uint32_t *out, struct err *err)
{
    int64_t id, generation;
    TRY(stack_find(s, stack, &id, err));
    TRY(stmt_int(s, STMT_GENERATION_OF, ARGS(ARG_INT(id), ARG_STR(kind_info(kind)->name), ARG_TEXT(name)), 0,
                 &generation, err));
    *out = (uint32_t)generation; /* in range: the table checks it */
    return ERR_OK;
}

static enum err_code append_generations(struct store *s, int64_t stack, enum kind kind, struct arena *a,
                                        struct generation **items, size_t *n, size_t *capacity,
                                        struct err *err)
{
    CLEANUP(stmt_resetp) sqlite3_stmt *row = NULL;
    TRY(stmt_start(s, STMT_GENERATION_LIST, ARGS(ARG_INT(stack), ARG_STR(kind_info(kind)->name)), &row, err));
    for (;;) {
        bool more;
        TRY(stmt_next(s, row, &more, err));
        if (!more) return ERR_OK;
        if (!arena_grow(a, items, sizeof **items, *n, capacity)) return err_nomem(err);
        struct generation *g = &(*items)[*n];
        *g = (struct generation){
            .kind = kind,
            .name = column_text(row, 0, a),
            .generation = (uint32_t)sqlite3_column_int64(row, 1), /* in range: the table checks it */
        };
        if (g->name.ptr == NULL) return err_nomem(err);
        ++*n;
    }
}

enum err_code store_generations(struct store *s, struct text stack, struct arena *a, struct generation **out,
                                size_t *n, struct err *err)
{
    CLEANUP(txn_endp) struct store *txn = NULL;
    struct generation *items = NULL;
    struct kind_set kinds;
    size_t count = 0, capacity = 0;
    int64_t id;
    TRY(txn_begin(s, TXN_READ, &txn, err));
    TRY(stack_find(s, stack, &id, err));
    TRY(list_kinds(s, STMT_GENERATION_NEXT_KIND, id, &kinds, err));
    for (size_t i = 0; i < kinds.n; i++)
        TRY(append_generations(s, id, kinds.kinds[i], a, &items, &count, &capacity, err));
    *out = items;
    *n = count;
    return ERR_OK;
}

/* ---- writing ---- */

enum err_code record_put(struct store *s, int64_t stack, const struct record *r, struct err *err)
{
    const struct kind_info *info = kind_info(r->kind);
    struct text kind = text_of(info->name);
    buf_reset(&s->given);
    buf_reset(&s->fields);
    codec_put_given(&s->given, info, r->set_fields);
    enum err_code code = codec_put_fields(&s->fields, info, r->values, err);
    if (code != ERR_OK) {
        char name_shown[SHOWN_SIZE];
        return err_wrap(err, "%s/%s cannot be recorded", info->name, shown(r->name, name_shown));
    }
    if (!buf_ok(&s->given) || !buf_ok(&s->fields)) return err_nomem(err);
    TRY(stmt_run(s, STMT_RECORD_PUT,
                 ARGS(ARG_INT(stack), ARG_TEXT(kind), ARG_TEXT(r->name), ARG_STR(r->id),
                      ARG_INT(r->generation), ARG_TEXT(buf_text(&s->given)), ARG_TEXT(buf_text(&s->fields)),
                      ARG_INT(r->prevent_destroy), ARG_INT(r->orphan_on_removal), ARG_INT(r->observed_only),
                      ARG_INT(r->applied_unix_ms), ARG_INT(r->incarnation)),
                 err));
    return stmt_run(s, STMT_GENERATION_RAISE,
                    ARGS(ARG_INT(stack), ARG_TEXT(kind), ARG_TEXT(r->name), ARG_INT(r->generation)), err);
}

enum err_code record_forget(struct store *s, int64_t stack, enum kind kind, struct text name, struct err *err)
{
    return stmt_run(s, STMT_RECORD_DELETE,
                    ARGS(ARG_INT(stack), ARG_STR(kind_info(kind)->name), ARG_TEXT(name)), err);
}

/* ERR_CONFLICT when a call for this address is not settled: its outcome will look for the record there. */
static enum err_code no_intent_for(struct store *s, int64_t stack, struct text kind, struct text name,
                                   struct err *err)
{
    int64_t seq;
    TRY(stmt_int(s, STMT_INTENT_EXISTS, ARGS(ARG_INT(stack), ARG_TEXT(kind), ARG_TEXT(name)), 0, &seq, err));
    if (seq == 0) return ERR_OK;
    char name_shown[SHOWN_SIZE];
    return err_set(err, ERR_CONFLICT,
                   TEXT_FMT "/%s has a call whose outcome is not known yet; run `headgate apply` first",
                   TEXT_ARG(kind), shown(name, name_shown));
}

static enum err_code move_record(struct store *s, int64_t stack, struct text kind, struct text from,
                                 struct text to, struct err *err)
{
    char from_shown[SHOWN_SIZE], to_shown[SHOWN_SIZE];
    int64_t mine, taken, used;
    TRY(stmt_int(s, STMT_RECORD_EXISTS, ARGS(ARG_INT(stack), ARG_TEXT(kind), ARG_TEXT(from)), -1, &mine,
                 err));
    if (mine < 0)
        return err_set(err, ERR_INPUT, "there is no record of " TEXT_FMT "/%s", TEXT_ARG(kind),
                       shown(from, from_shown));
    TRY(stmt_int(s, STMT_RECORD_EXISTS, ARGS(ARG_INT(stack), ARG_TEXT(kind), ARG_TEXT(to)), -1, &taken, err));
    if (taken >= 0)
        return err_set(err, ERR_INPUT,
                       TEXT_FMT "/%s exists already; `headgate state rm` it first, or choose another name",
                       TEXT_ARG(kind), shown(to, to_shown));
    TRY(no_intent_for(s, stack, kind, from, err));
    TRY(no_intent_for(s, stack, kind, to, err));
    /* Both addresses keep what was used: neither may give a token away twice. */
    TRY(stmt_int(s, STMT_GENERATION_OF, ARGS(ARG_INT(stack), ARG_TEXT(kind), ARG_TEXT(to)), 0, &used, err));
    int64_t generation = MAX_OF(mine, used);
    TRY(stmt_run(s, STMT_RECORD_RENAME,
                 ARGS(ARG_INT(stack), ARG_TEXT(kind), ARG_TEXT(from), ARG_TEXT(to), ARG_INT(generation)),
                 err));
    TRY(stmt_run(s, STMT_GENERATION_RAISE,
                 ARGS(ARG_INT(stack), ARG_TEXT(kind), ARG_TEXT(to), ARG_INT(generation)), err));
    return stmt_run(s, STMT_STACK_COUNT_WRITE, ARGS(ARG_INT(stack)), err);
}

enum err_code store_move(struct store *s, struct text stack, enum kind from_kind, struct text from,
                         enum kind to_kind, struct text to, struct err *err)
{
    if (from_kind != to_kind)
        return err_set(err, ERR_INPUT, "a %s cannot become another kind (%s); only the name can change",
                       kind_info(from_kind)->name, kind_info(to_kind)->name);
    CLEANUP(txn_endp) struct store *txn = NULL;
    int64_t id;
    TRY(txn_begin(s, TXN_WRITE, &txn, err));
    TRY(stack_find(s, stack, &id, err));
    TRY(move_record(s, id, text_of(kind_info(from_kind)->name), from, to, err));
    return txn_commit(&txn, err);
}
