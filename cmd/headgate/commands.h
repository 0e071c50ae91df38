/* commands.h - the commands, one function each. main.c has their table. */
#pragma once

#include "cmd/headgate/app.h"

/* cmd_manifest.c */
enum exit_code cmd_validate(struct app *app);
enum exit_code cmd_explain(struct app *app);
enum exit_code cmd_schema(struct app *app);
enum exit_code cmd_graph(struct app *app);
/* cmd_plan.c */
enum exit_code cmd_plan(struct app *app);
enum exit_code cmd_diff(struct app *app);
enum exit_code cmd_drift(struct app *app);
/* cmd_apply.c */
enum exit_code cmd_apply(struct app *app);
enum exit_code cmd_destroy(struct app *app);
/* cmd_get.c */
enum exit_code cmd_get(struct app *app);
enum exit_code cmd_describe(struct app *app);
enum exit_code cmd_state_list(struct app *app);
enum exit_code cmd_state_show(struct app *app);
/* cmd_status.c */
enum exit_code cmd_status(struct app *app);
enum exit_code cmd_events(struct app *app);
enum exit_code cmd_history(struct app *app);
/* cmd_state.c */
enum exit_code cmd_state_mv(struct app *app);
enum exit_code cmd_state_rm(struct app *app);
enum exit_code cmd_state_backup(struct app *app);
enum exit_code cmd_state_verify(struct app *app);
enum exit_code cmd_unlock(struct app *app);
/* cmd_rebuild.c */
enum exit_code cmd_state_rebuild(struct app *app);
enum exit_code cmd_import(struct app *app);
/* cmd_mock.c */
enum exit_code cmd_mock_list(struct app *app);
enum exit_code cmd_mock_set(struct app *app);
enum exit_code cmd_mock_delete(struct app *app);
enum exit_code cmd_mock_fail_next(struct app *app);
enum exit_code cmd_mock_latency(struct app *app);
enum exit_code cmd_mock_option(struct app *app);
enum exit_code cmd_mock_ledger(struct app *app);
enum exit_code cmd_mock_reset(struct app *app);
enum exit_code cmd_mock_call(struct app *app);
/* main.c */
enum exit_code cmd_version(struct app *app);
enum exit_code cmd_help(struct app *app);
