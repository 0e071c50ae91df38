/* tree_reader.c - from libyaml's events to a tree, one document at a time. */
#include "reconciler/base/limits.h"
#include "reconciler/manifest/source_line.h"
#include "reconciler/manifest/tree.h"
#include "reconciler/manifest/tree_keys.h"

#include <string.h>

/* The collections that are open. */
struct path {
    struct level {
        uint32_t node, last;
    } levels[LIMIT_YAML_DEPTH];
    uint32_t depth;
};

bool tree_reader_init(struct tree_reader *r, const char *file, struct text bytes, struct tree *tree,
                      struct diags *diags)
{
    *r = (struct tree_reader){.bytes = source_without_bom(bytes), .file = file, .diags = diags, .tree = tree};
    if (!yaml_parser_initialize(&r->parser)) return false;
    r->open = true;
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)r->bytes.ptr, r->bytes.len);
    return true;
}

void tree_reader_fini(struct tree_reader *r)
{
    if (r->open) yaml_parser_delete(&r->parser);
    r->open = false;
}

static struct mark mark_of(yaml_mark_t m)
{
    return (struct mark){(uint32_t)m.line + 1, (uint32_t)m.column + 1};
}

static enum tree_next stop(struct tree_reader *r, struct mark mark, const char *help, const char *summary)
{
    (void)diags_add(r->diags, SEVERITY_ERROR, tree_pos(r, mark), NULL, help, "%s", summary);
    return TREE_STOP;
}

/* Bytes that are not characters: libyaml knows the offset, people want line and column. */
static enum tree_next stop_at_bytes(struct tree_reader *r)
{
    size_t offset = MIN_OF(r->parser.problem_offset, r->bytes.len);
    struct mark mark = source_mark(r->bytes, offset);
    if (r->parser.problem_value == 0) return stop(r, mark, NULL, "the file has a NUL byte here");
    if (strstr(r->parser.problem, "control characters") != NULL)
        return stop(r, mark, "write it as an escape in double quotes, as in \"\\x07\"",
                    "control characters are not allowed");
    return stop(r, mark, "save the file as UTF-8", "the file is not UTF-8 here");
}

static enum tree_next syntax_error(struct tree_reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR) return TREE_NOMEM;
    if (p->error == YAML_READER_ERROR) return stop_at_bytes(r);
    struct mark mark = mark_of(p->problem_mark);
    if (source_char(r->bytes, mark) == '\t')
        return stop(r, mark, "use blanks", "a tab cannot be used here: YAML is indented with blanks");
    if (p->context != NULL && p->context_mark.line != p->problem_mark.line)
        (void)diags_add(r->diags, SEVERITY_ERROR, tree_pos(r, mark), NULL, NULL,
                        "not valid YAML: %s (%s that began at line %zu)", p->problem, p->context,
                        p->context_mark.line + 1);
    else
        (void)diags_add(r->diags, SEVERITY_ERROR, tree_pos(r, mark), NULL, NULL, "not valid YAML: %s%s%s",
                        p->problem, p->context == NULL ? "" : ", ", p->context == NULL ? "" : p->context);
    return TREE_STOP;
}

static enum tree_next attach(struct tree_reader *r, struct path *path, uint32_t child)
{
    if (path->depth == 0) return TREE_DOCUMENT;
    struct tree *t = r->tree;
    struct level *level = &path->levels[path->depth - 1];
    struct node *parent = &t->nodes[level->node];
    if (parent->type == NODE_MAPPING && parent->n % 2 == 0) {
        if (tree_node(t, child)->type != NODE_SCALAR)
            return stop(r, t->nodes[child].mark, NULL, "a key must be a text");
        t->nodes[child].flags &= (uint8_t)~NODE_DOLLAR; /* keys are not substituted */
    } else if (t->nodes[child].flags & NODE_DOLLAR) {
        t->has_dollar = true;
    }
    if (level->last == NO_NODE)
        parent->first = child;
    else
        t->nodes[level->last].next = child;
    level->last = child;
    parent->n++;
    return TREE_DOCUMENT;
}

static bool add_anchor(struct tree *t, const char *name, uint32_t node)
{
    if (t->n_anchors == t->anchor_capacity) {
        size_t capacity = t->anchor_capacity + 64;
        struct anchor *anchors = realloc(t->anchors, capacity * sizeof *anchors);
        if (anchors == NULL) return false;
        t->anchors = anchors;
        t->anchor_capacity = capacity;
    }
    struct node holder = {0};
    if (!tree_set_text(t, &holder, text_of(name))) return false;
    t->anchors[t->n_anchors++] = (struct anchor){holder.first, holder.n, node};
    return true;
}

static enum tree_next anchor(struct tree_reader *r, const yaml_char_t *name, uint32_t node)
{
    if (name == NULL) return TREE_DOCUMENT;
    if (r->tree->n_anchors == LIMIT_YAML_ANCHORS)
        return stop(r, r->tree->nodes[node].mark, NULL,
                    "more than " HG_STRINGIFY(1000) " anchors in one document");
    return add_anchor(r->tree, (const char *)name, node) ? TREE_DOCUMENT : TREE_NOMEM;
}

_Static_assert(LIMIT_YAML_ANCHORS == 1000, "the message above says so");

/* The tags of the core schema, and what they make of a scalar. Source: YAML 1.2, 10.3 */
static const struct {
    const char *tag;
    uint8_t type;
    bool plain;
} core_tags[] = {
    {"tag:yaml.org,2002:str", NODE_SCALAR, false},   {"tag:yaml.org,2002:int", NODE_SCALAR, true},
    {"tag:yaml.org,2002:bool", NODE_SCALAR, true},   {"tag:yaml.org,2002:null", NODE_SCALAR, true},
    {"tag:yaml.org,2002:float", NODE_SCALAR, true},  {"!", NODE_SCALAR, false},
    {"tag:yaml.org,2002:seq", NODE_SEQUENCE, false}, {"tag:yaml.org,2002:map", NODE_MAPPING, false},
};

static void check_tag(struct tree_reader *r, const yaml_char_t *tag, struct node *n)
{
    if (tag == NULL) return;
    struct text t = text_of((const char *)tag);
    for (size_t i = 0; i < N_ELEMENTS(core_tags); i++)
        if (core_tags[i].type == n->type && text_is(t, core_tags[i].tag)) {
            n->flags = (uint8_t)(core_tags[i].plain ? n->flags | NODE_PLAIN : n->flags & ~NODE_PLAIN);
            return;
        }
    n->flags |= NODE_WRONG;
    bool core = text_starts_with(t, "tag:yaml.org,2002:");
    if (core) t = (struct text){t.ptr + 18, t.len - 18};
    (void)diags_add(r->diags, SEVERITY_ERROR, tree_pos(r, n->mark), NULL, "leave the tag out",
                    "the tag `%s" TEXT_FMT "` cannot be used here", core ? "!!" : "",
                    (int)MIN_OF(t.len, (size_t)80), t.ptr);
}

static bool has_dollar(struct text t)
{
    return t.len >= 3 && memchr(t.ptr, '$', t.len) != NULL && memmem(t.ptr, t.len, "${", 2) != NULL;
}

static enum tree_next read_scalar(struct tree_reader *r, struct path *path, const yaml_event_t *ev)
{
    struct tree *t = r->tree;
    struct text text = {(const char *)ev->data.scalar.value, ev->data.scalar.length};
    struct mark mark = mark_of(ev->start_mark);
    if (text.len > LIMIT_YAML_SCALAR_BYTES)
        return stop(r, mark, NULL, "a text of more than " HG_STRINGIFY(65536) " bytes");
    enum tree_next why;
    uint32_t at = tree_add(r, NODE_SCALAR, mark, &why);
    if (why != TREE_DOCUMENT) return why;
    struct node *n = &t->nodes[at];
    if (!tree_set_text(t, n, text)) return TREE_NOMEM;
    if (ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) n->flags |= NODE_PLAIN;
    if (has_dollar(text)) n->flags |= NODE_DOLLAR;
    check_tag(r, ev->data.scalar.tag, n);
    why = anchor(r, ev->data.scalar.anchor, at);
    if (why == TREE_DOCUMENT) why = attach(r, path, at);
    if (why == TREE_DOCUMENT && path->depth > 0) tree_adopt(t, path->levels[path->depth - 1].node, at);
    return why;
}

_Static_assert(LIMIT_YAML_SCALAR_BYTES == 65536, "the message above says so");

static enum tree_next open_collection(struct tree_reader *r, struct path *path, enum node_type type,
                                      struct mark mark, const yaml_char_t *tag, const yaml_char_t *name)
{
    if (path->depth == LIMIT_YAML_DEPTH) {
        (void)diags_add(r->diags, SEVERITY_ERROR, tree_pos(r, mark), NULL, NULL,
                        "nested deeper than %d levels", LIMIT_YAML_DEPTH);
        return TREE_STOP;
    }
    enum tree_next why;
    uint32_t at = tree_add(r, type, mark, &why);
    if (why != TREE_DOCUMENT) return why;
    r->tree->nodes[at].flags |= NODE_OPEN;
    check_tag(r, tag, &r->tree->nodes[at]);
    why = anchor(r, name, at);
    if (why == TREE_DOCUMENT) why = attach(r, path, at);
    path->levels[path->depth++] = (struct level){at, NO_NODE};
    return why;
}

static enum tree_next close_collection(struct tree_reader *r, struct path *path)
{
    ASSERT(path->depth > 0);
    uint32_t at = path->levels[--path->depth].node;
    struct tree *t = r->tree;
    t->nodes[at].flags &= (uint8_t)~NODE_OPEN;
    if (t->nodes[at].type == NODE_MAPPING) {
        enum tree_next why = tree_close_mapping(r, at, path->depth);
        if (why != TREE_DOCUMENT) return why;
    }
    if (path->depth > 0) tree_adopt(t, path->levels[path->depth - 1].node, at);
    return TREE_DOCUMENT;
}

static enum tree_next read_alias(struct tree_reader *r, struct path *path, const yaml_event_t *ev)
{
    struct tree *t = r->tree;
    struct text name = text_of((const char *)ev->data.alias.anchor);
    struct mark mark = mark_of(ev->start_mark);
    size_t i = t->n_anchors;
    while (i > 0 && !text_equal(name, (struct text){t->text + t->anchors[i - 1].name, t->anchors[i - 1].len}))
        i--;
    if (i == 0) {
        (void)diags_add(r->diags, SEVERITY_ERROR, tree_pos(r, mark), NULL,
                        "anchors hold within one document, after the place where they are set",
                        "there is no anchor `&" TEXT_FMT "`", (int)MIN_OF(name.len, (size_t)80), name.ptr);
        return TREE_STOP;
    }
    uint32_t target = t->anchors[i - 1].node;
    if (t->nodes[target].flags & NODE_OPEN)
        return stop(r, mark, NULL, "the alias lies in what it stands for");
    enum tree_next why = tree_count_alias(r, target, mark, path->depth);
    if (why != TREE_DOCUMENT) return why;
    uint32_t at = tree_add(r, NODE_ALIAS, mark, &why);
    if (why != TREE_DOCUMENT) return why;
    t->nodes[at].first = target;
    t->nodes[at].height = tree_node(t, target)->height;
    t->nodes[at].size = tree_node(t, target)->size;
    why = attach(r, path, at);
    if (why == TREE_DOCUMENT && path->depth > 0) tree_adopt(t, path->levels[path->depth - 1].node, at);
    return why;
}

/* An empty document costs a moment, one that waits for the Stack its copy: what is too many is no manifest.
 */
static enum tree_next begin_document(struct tree_reader *r, struct mark mark)
{
    if (r->n_documents++ < LIMIT_MANIFEST_DOCUMENTS) return TREE_DOCUMENT;
    (void)diags_add(r->diags, SEVERITY_ERROR, tree_pos(r, mark), NULL, NULL,
                    "more than %d documents in one file", LIMIT_MANIFEST_DOCUMENTS);
    return TREE_STOP;
}

_Static_assert(LIMIT_MANIFEST_DOCUMENTS >= 2 * LIMIT_RESOURCES, "a stack may be written in one file");

static void reset(struct tree *t)
{
    t->n_nodes = t->n_text = t->n_anchors = 0;
    t->has_dollar = false;
}

/* One event into the tree; *end is set by the last one of a document. */
static enum tree_next take_event(struct tree_reader *r, struct path *path, const yaml_event_t *ev, bool *end)
{
    switch (ev->type) {
    case YAML_SCALAR_EVENT: return read_scalar(r, path, ev);
    case YAML_ALIAS_EVENT: return read_alias(r, path, ev);
    case YAML_SEQUENCE_START_EVENT:
        return open_collection(r, path, NODE_SEQUENCE, mark_of(ev->start_mark), ev->data.sequence_start.tag,
                               ev->data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT:
        return open_collection(r, path, NODE_MAPPING, mark_of(ev->start_mark), ev->data.mapping_start.tag,
                               ev->data.mapping_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return close_collection(r, path);
    case YAML_DOCUMENT_END_EVENT: *end = true; return TREE_DOCUMENT;
    case YAML_STREAM_END_EVENT: return TREE_END;
    case YAML_DOCUMENT_START_EVENT: return begin_document(r, mark_of(ev->start_mark));
    case YAML_STREAM_START_EVENT:
    case YAML_NO_EVENT: break;
    }
    return TREE_DOCUMENT;
}

/* libyaml compares each %TAG directive with all that came before it, before we hear of any. */
static enum tree_next check_directives(struct tree_reader *r)
{
    static const char directive[] = "%TAG";
    const char *p = r->bytes.ptr, *end = p + r->bytes.len;
    size_t n = 0;
    while (p < end && (p = memmem(p, (size_t)(end - p), directive, sizeof directive - 1)) != NULL) {
        size_t offset = (size_t)(p - r->bytes.ptr);
        if (source_begins_line(r->bytes, offset) && ++n > LIMIT_YAML_TAG_DIRECTIVES)
            return stop(r, source_mark(r->bytes, offset), "headgate knows no tags: leave them out",
                        "more than " HG_STRINGIFY(1000) " %TAG directives in one file");
        p += sizeof directive - 1;
    }
    return TREE_DOCUMENT;
}

_Static_assert(LIMIT_YAML_TAG_DIRECTIVES == 1000, "the message above says so");

enum tree_next tree_reader_next(struct tree_reader *r)
{
    struct path path = {.depth = 0};
    enum tree_next why = r->n_documents == 0 ? check_directives(r) : TREE_DOCUMENT;
    bool end = false;
    reset(r->tree);
    while (why == TREE_DOCUMENT && !end) {
        yaml_event_t ev;
        if (!yaml_parser_parse(&r->parser, &ev)) return syntax_error(r);
        why = take_event(r, &path, &ev, &end);
        yaml_event_delete(&ev);
    }
    return why;
}
