/* Reading what -f names: folders, files, standard input, and everything that is wrong with them. */
#include "reconciler/loop/sources.h"

#include "reconciler/base/limits.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char root[64]; /* the working folder while the test runs */
    struct arena *arena;
    struct diags diags;
    struct source *sources;
    size_t n;
    struct err err;
};

static int enter_new_folder(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    strcpy(f->root, "/tmp/headgate-sources-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    assert_int_equal(chdir(f->root), 0);
    f->arena = arena_new((size_t)1 << 30);
    diags_init(&f->diags, f->arena);
    *state = f;
    return 0;
}

static int leave_folder(void **state)
{
    struct fixture *f = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", f->root);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(system(command), 0);
    arena_free(f->arena);
    free(f);
    return 0;
}

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void make_folder(const char *path)
{
    assert_int_equal(mkdir(path, 0755), 0);
}

static void make_link(const char *target, const char *path)
{
    assert_int_equal(symlink(target, path), 0);
}

static enum err_code read_paths(struct fixture *f, size_t n, const char *const *paths)
{
    return sources_read(f->arena, f->arena, paths, n, &f->diags, &f->sources, &f->n, &f->err);
}
#define READ(f, ...)                                                                                         \
    read_paths((f), sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (const char *[]){__VA_ARGS__})

/* Names and contents of what was read: "a.yaml=1 sub/b.yml=2". */
static void assert_sources(const struct fixture *f, const char *expected)
{
    char got[4096] = "";
    size_t len = 0;
    for (size_t i = 0; i < f->n; i++)
        len += (size_t)snprintf(got + len, sizeof got - len, "%s%s=" TEXT_FMT, i == 0 ? "" : " ",
                                f->sources[i].file, TEXT_ARG(f->sources[i].bytes));
    assert_string_equal(got, expected);
}

/* All diagnostics, a line each. */
static void assert_told(const struct fixture *f, const char *expected)
{
    char got[8192] = "";
    size_t len = 0;
    for (size_t i = 0; i < f->diags.n; i++) {
        const struct diag *d = &f->diags.items[i];
        len += (size_t)snprintf(got + len, sizeof got - len, "%s%s%s%s%s\n",
                                d->severity == SEVERITY_WARNING ? "warning: " : "", d->summary,
                                d->help == NULL ? "" : " [", d->help == NULL ? "" : d->help,
                                d->help == NULL ? "" : "]");
    }
    assert_string_equal(got, expected);
}

static void a_folder_is_read_recursively_in_order_of_names(void **state)
{
    struct fixture *f = *state;
    make_folder("m");
    make_folder("m/B");
    make_folder("m/c");
    write_file("m/d.yaml", "4");
    write_file("m/a.yml", "2");
    write_file("m/B/x.yaml", "1");
    write_file("m/c/y.yaml", "3");
    write_file("m/README.md", "no manifest");
    write_file("m/e.yaml~", "no manifest");
    assert_int_equal(READ(f, "m"), ERR_OK);
    assert_sources(f, "m/B/x.yaml=1 m/a.yml=2 m/c/y.yaml=3 m/d.yaml=4");
    assert_told(f, "");
}

static void a_slash_at_the_end_of_a_folder_is_not_doubled(void **state)
{
    struct fixture *f = *state;
    make_folder("m");
    write_file("m/a.yaml", "1");
    assert_int_equal(READ(f, "m/"), ERR_OK);
    assert_sources(f, "m/a.yaml=1");
}

static void a_named_file_is_read_whatever_its_name(void **state)
{
    struct fixture *f = *state;
    write_file("network.txt", "1");
    write_file(".hidden", "2");
    assert_int_equal(READ(f, ".hidden", "network.txt"), ERR_OK);
    assert_sources(f, ".hidden=2 network.txt=1");
}

static void an_empty_file_is_a_source(void **state)
{
    struct fixture *f = *state;
    write_file("a.yaml", "");
    assert_int_equal(READ(f, "a.yaml"), ERR_OK);
    assert_sources(f, "a.yaml=");
}

static void bytes_are_kept_as_they_are(void **state)
{
    struct fixture *f = *state;
    int fd = open("a.yaml", O_CREAT | O_WRONLY, 0644);
    assert_int_equal(write(fd, "a\0b\xff", 4), 4);
    assert_int_equal(close(fd), 0);
    assert_int_equal(READ(f, "a.yaml"), ERR_OK);
    assert_int_equal(f->sources[0].bytes.len, 4);
    assert_memory_equal(f->sources[0].bytes.ptr, "a\0b\xff", 5);
}

static void hidden_files_and_folders_are_skipped(void **state)
{
    struct fixture *f = *state;
    make_folder(".git");
    write_file(".git/x.yaml", "no");
    write_file(".a.yaml", "no");
    write_file("a.yaml", "1");
    assert_int_equal(READ(f, "."), ERR_OK);
    assert_sources(f, "./a.yaml=1");
}

static void a_mounted_config_map_is_read_once(void **state)
{
    struct fixture *f = *state;
    make_folder("..2024_01_01");
    write_file("..2024_01_01/a.yaml", "1");
    make_link("..2024_01_01", "..data");
    make_link("..data/a.yaml", "a.yaml");
    assert_int_equal(READ(f, "."), ERR_OK);
    assert_sources(f, "./a.yaml=1");
}

static void links_to_folders_are_followed(void **state)
{
    struct fixture *f = *state;
    make_folder("m");
    make_folder("base");
    write_file("base/a.yaml", "1");
    make_link("../base", "m/base");
    assert_int_equal(READ(f, "m"), ERR_OK);
    assert_sources(f, "m/base/a.yaml=1");
}

static void what_is_reached_twice_is_read_once(void **state)
{
    struct fixture *f = *state;
    make_folder("m");
    make_folder("m/sub");
    write_file("m/sub/a.yaml", "1");
    make_link("sub", "m/tub");
    assert_int_equal(READ(f, "m", "m/sub", "m/sub/a.yaml", "./m"), ERR_OK);
    assert_sources(f, "m/sub/a.yaml=1");
}

static void standard_input_is_read(void **state)
{
    struct fixture *f = *state;
    int ends[2], saved = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "piped", 5), 5);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    write_file("a.yaml", "1");
    assert_int_equal(READ(f, "a.yaml", "-"), ERR_OK);
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(saved), 0);
    assert_int_equal(close(ends[0]), 0);
    assert_sources(f, "a.yaml=1 -=piped");
}

static void standard_input_cannot_be_named_twice(void **state)
{
    struct fixture *f = *state;
    int saved = dup(STDIN_FILENO), null = open("/dev/null", O_RDONLY);
    assert_int_equal(dup2(null, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(READ(f, "-", "-"), ERR_INPUT);
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(saved), 0);
    assert_int_equal(close(null), 0);
    assert_told(f, "standard input (`-f -`) is named more than once\n");
}

static void standard_input_has_the_limit_of_a_file(void **state)
{
    struct fixture *f = *state;
    write_file("big", "");
    assert_int_equal(truncate("big", (off_t)LIMIT_MANIFEST_FILE_BYTES + 1), 0);
    int saved = dup(STDIN_FILENO), big = open("big", O_RDONLY);
    assert_int_equal(dup2(big, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(READ(f, "-"), ERR_INPUT);
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(saved), 0);
    assert_int_equal(close(big), 0);
    assert_told(f, "`-` is larger than 64 MiB [split it into several files]\n");
}

static void all_that_is_wrong_is_told_at_once(void **state)
{
    struct fixture *f = *state;
    make_folder("empty");
    make_folder("m");
    make_link("missing", "m/broken.yaml");
    make_link("loop.yaml", "m/loop.yaml");
    write_file("m/ok.yaml", "1");
    assert_int_equal(READ(f, "nowhere.yaml", "empty", "m"), ERR_INPUT);
    assert_told(f, "cannot read `nowhere.yaml`: No such file or directory\n"
                   "no manifest (*.yaml, *.yml) below `empty`\n"
                   "cannot read `m/broken.yaml`: No such file or directory\n"
                   "cannot read `m/loop.yaml`: Too many levels of symbolic links\n");
    assert_string_equal(f->err.msg, "the manifests could not be read (4 errors)");
    assert_null(f->sources);
}

static void no_path_at_all_is_an_error(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_paths(f, 0, NULL), ERR_INPUT);
    assert_told(f, "no manifests were named [name a file, a folder or `-` with -f]\n");
}

static void a_folder_with_hidden_manifests_only_says_so(void **state)
{
    struct fixture *f = *state;
    make_folder("m");
    write_file("m/.a.yaml", "1");
    assert_int_equal(READ(f, "m"), ERR_INPUT);
    assert_told(f, "no manifest (*.yaml, *.yml) below `m` [hidden files and folders are skipped]\n");
}

static void a_link_that_leads_nowhere_and_is_no_manifest_is_a_warning(void **state)
{
    struct fixture *f = *state;
    make_folder("m");
    make_link("gone", "m/sub");
    write_file("m/a.yaml", "1");
    assert_int_equal(READ(f, "m"), ERR_OK);
    assert_told(f, "warning: `m/sub` is a symbolic link that leads nowhere; it was skipped\n");
}

static void a_link_back_up_is_an_error(void **state)
{
    struct fixture *f = *state;
    make_folder("m");
    make_folder("m/sub");
    make_link("..", "m/sub/up");
    write_file("m/sub/a.yaml", "1");
    assert_int_equal(READ(f, "m"), ERR_INPUT);
    assert_told(f, "`m/sub/up` is a symbolic link that leads back to a folder above it [remove the link]\n");
}

static void a_fifo_is_refused_without_waiting_for_it(void **state)
{
    struct fixture *f = *state;
    make_folder("m");
    assert_int_equal(mkfifo("m/a.yaml", 0600), 0);
    assert_int_equal(mkfifo("m/notes", 0600), 0); /* no manifest: of no interest */
    assert_int_equal(READ(f, "m", "m/a.yaml"), ERR_INPUT);
    assert_told(f, "`m/a.yaml` is a FIFO, not a file [standard input is read with `-f -`]\n"
                   "`m/a.yaml` is a FIFO, not a file [standard input is read with `-f -`]\n");
}

static void a_device_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(READ(f, "/dev/zero"), ERR_INPUT);
    assert_told(f, "`/dev/zero` is a device, not a file [standard input is read with `-f -`]\n");
}

static void a_file_that_cannot_be_read_is_told(void **state)
{
    struct fixture *f = *state;
    /* Without permission root would read it all the same; this fails for everybody. */
    make_folder("m");
    make_link("/proc/self/mem", "m/a.yaml");
    assert_int_equal(READ(f, "m"), ERR_INPUT);
    assert_told(f, "cannot read `m/a.yaml`: Input/output error\n");
}

static void a_folder_that_cannot_be_read_is_told(void **state)
{
    struct fixture *f = *state;
    if (geteuid() == 0) skip(); /* root reads everything */
    make_folder("m");
    make_folder("m/locked");
    write_file("m/a.yaml", "1");
    assert_int_equal(chmod("m/locked", 0), 0);
    assert_int_equal(READ(f, "m"), ERR_INPUT);
    assert_int_equal(chmod("m/locked", 0755), 0);
    assert_told(f, "cannot read `m/locked`: Permission denied\n");
}

static void a_file_that_changes_while_it_is_read_is_told(void **state)
{
    struct fixture *f = *state;
    /* It says that it is empty, and is not. */
    assert_int_equal(READ(f, "/proc/version"), ERR_INPUT);
    assert_told(
        f, "`/proc/version` changed while it was read [try again when whatever writes it has finished]\n");
}

static void a_file_that_is_too_large_is_told_by_its_limit(void **state)
{
    struct fixture *f = *state;
    write_file("big.yaml", "");
    assert_int_equal(truncate("big.yaml", (off_t)LIMIT_MANIFEST_FILE_BYTES + 1), 0);
    assert_int_equal(READ(f, "big.yaml"), ERR_INPUT);
    assert_told(f, "`big.yaml` is larger than 64 MiB [split it into several files]\n");
}

static void too_many_files_are_told_by_their_limit(void **state)
{
    struct fixture *f = *state;
    make_folder("m");
    for (int i = 0; i <= LIMIT_MANIFEST_FILES; i++) {
        char path[32];
        (void)snprintf(path, sizeof path, "m/%d.yaml", i);
        int fd = open(path, O_CREAT | O_WRONLY, 0644);
        assert_true(fd >= 0);
        assert_int_equal(close(fd), 0);
    }
    assert_int_equal(READ(f, "m"), ERR_INPUT);
    assert_told(f, "more than 20000 manifests lie below `m`\n");
    assert_int_equal(unlink("m/0.yaml"), 0);
    diags_init(&f->diags, f->arena);
    assert_int_equal(READ(f, "m"), ERR_OK);
    assert_int_equal(f->n, LIMIT_MANIFEST_FILES);
}

/* Folders d/d/…/d, 'depth' of them, with a manifest in the innermost. */
static void make_deep(size_t depth)
{
    char path[256] = "d";
    for (size_t i = 1;; i++) {
        make_folder(path);
        if (i == depth) break;
        strcat(path, "/d");
    }
    strcat(path, "/a.yaml");
    write_file(path, "1");
}

static void folders_may_nest_up_to_the_limit(void **state)
{
    struct fixture *f = *state;
    make_deep(LIMIT_FOLDER_DEPTH + 1); /* the named one and 32 below it */
    assert_int_equal(READ(f, "d"), ERR_OK);
    assert_int_equal(f->n, 1);
}

static void folders_that_nest_too_deep_are_told(void **state)
{
    struct fixture *f = *state;
    make_deep(LIMIT_FOLDER_DEPTH + 2);
    assert_int_equal(READ(f, "d"), ERR_INPUT);
    assert_int_equal(f->diags.n, 1);
    assert_non_null(strstr(f->diags.items[0].summary, "lies deeper than 32 folders below"));
}

static void names_are_escaped_for_the_terminal(void **state)
{
    struct fixture *f = *state;
    make_folder("m");
    write_file("m/\x1b[31m.yaml", "1");
    assert_int_equal(READ(f, "m"), ERR_OK);
    assert_sources(f, "m/\\x1b[31m.yaml=1");
}

static void memory_that_runs_out_is_an_error(void **state)
{
    struct fixture *f = *state;
    write_file("a.yaml", "some text that is longer than what is left");
    struct diags diags;
    enum err_code code = ERR_NOMEM;
    for (size_t limit = 0; code == ERR_NOMEM; limit += 8) {
        struct arena *small = arena_new(limit);
        diags_init(&diags, small);
        const char *paths[] = {"."};
        code = sources_read(small, small, paths, 1, &diags, &f->sources, &f->n, &f->err);
        arena_free(small);
        assert_true(limit < 4096);
    }
    assert_int_equal(code, ERR_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_new_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_folder_is_read_recursively_in_order_of_names),
        TEST(a_slash_at_the_end_of_a_folder_is_not_doubled),
        TEST(a_named_file_is_read_whatever_its_name),
        TEST(an_empty_file_is_a_source),
        TEST(bytes_are_kept_as_they_are),
        TEST(hidden_files_and_folders_are_skipped),
        TEST(a_mounted_config_map_is_read_once),
        TEST(links_to_folders_are_followed),
        TEST(what_is_reached_twice_is_read_once),
        TEST(standard_input_is_read),
        TEST(standard_input_cannot_be_named_twice),
        TEST(standard_input_has_the_limit_of_a_file),
        TEST(all_that_is_wrong_is_told_at_once),
        TEST(no_path_at_all_is_an_error),
        TEST(a_folder_with_hidden_manifests_only_says_so),
        TEST(a_link_that_leads_nowhere_and_is_no_manifest_is_a_warning),
        TEST(a_link_back_up_is_an_error),
        TEST(a_fifo_is_refused_without_waiting_for_it),
        TEST(a_device_is_refused),
        TEST(a_file_that_cannot_be_read_is_told),
        TEST(a_folder_that_cannot_be_read_is_told),
        TEST(a_file_that_changes_while_it_is_read_is_told),
        TEST(a_file_that_is_too_large_is_told_by_its_limit),
        TEST(too_many_files_are_told_by_their_limit),
        TEST(folders_may_nest_up_to_the_limit),
        TEST(folders_that_nest_too_deep_are_told),
        TEST(names_are_escaped_for_the_terminal),
        TEST(memory_that_runs_out_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
