/* limits.h - every limit with its name and default in one place. docs/limits.md repeats them for users. */
#pragma once

enum {
    LIMIT_MANIFEST_FILE_BYTES = 64 * 1024 * 1024, /* one manifest file, or standard input */
    LIMIT_MANIFEST_FILES = 20000,                 /* files below one -f folder */
    LIMIT_MANIFEST_DOCUMENTS = 1000000,           /* documents of one file, empty ones too */
    LIMIT_FOLDER_DEPTH = 32,                      /* nesting of folders */
    LIMIT_YAML_DEPTH = 32,                        /* nesting of a document */
    LIMIT_YAML_SCALAR_BYTES = 64 * 1024,          /* one scalar */
    LIMIT_YAML_NODES = 1000000,                   /* nodes of one document */
    LIMIT_YAML_ANCHORS = 1000,                    /* anchors of one document */
    LIMIT_YAML_TAG_DIRECTIVES = 1000,             /* %TAG directives of one file */
    LIMIT_YAML_ALIAS_NODES = 100000,              /* nodes that aliases of one file may expand to */
    LIMIT_RESOURCES = 500000,                     /* resources of one stack */
    LIMIT_DIAGNOSTICS = 100,                      /* shown; the rest is counted */
    LIMIT_LIST_ITEMS = 1000,                      /* items of one list field */
    LIMIT_TAGS = 20,                              /* Source: api-behaviour 5.14, tags per resource */
    LIMIT_VARIABLES = 1000,
    LIMIT_API_PARAMS = 700,                    /* parameters of one request */
    LIMIT_API_ANSWER_BYTES = 16 * 1024 * 1024, /* one answer of the cloud */
    LIMIT_API_PAGES = 20000,                   /* pages of one list */
    LIMIT_PLAN_FILE_BYTES = 512 * 1024 * 1024,
    LIMIT_CLIENT_TOKEN = 64, /* Source: CreateVpc, ClientToken */
};

#define LIMIT_ARENA_BYTES ((size_t)4 << 30) /* memory of one pass */
