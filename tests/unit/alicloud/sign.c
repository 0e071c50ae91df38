/* sign.c - signatures, against the vendor's vectors and worked examples. */
#include "providers/alicloud/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define T(name) cmocka_unit_test(name)
#define P(name, value)                                                                                       \
    {                                                                                                        \
        {name, sizeof name - 1},                                                                             \
        {                                                                                                    \
            value, sizeof value - 1                                                                          \
        }                                                                                                    \
    }
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define SNAT_PARAMETERS                                                                                      \
    P("SourceCIDR", "10.0.1.0/24"), P("SnatTableId", "stb-uf6example0000000001"),                            \
        P("SnatIp", "203.0.113.10,203.0.113.11"), P("SnatEntryName", "出口-1"),                              \
        P("RegionId", "cn-shanghai"), P("ClientToken", "hg-0001:snat/web egress*~1")

struct rig {
    struct buf query, string, headers;
};

static int open_rig(void **state)
{
    static struct rig r;
    buf_init(&r.query, 1 << 16);
    buf_init(&r.string, 1 << 16);
    buf_init(&r.headers, 1 << 16);
    *state = &r;
    return 0;
}

static int close_rig(void **state)
{
    struct rig *r = *state;
    buf_fini(&r->query);
    buf_fini(&r->string);
    buf_fini(&r->headers);
    return 0;
}

static void assert_v1(struct rig *r, const char *method, struct sign_pair *pairs, size_t n,
                      const char *secret, const char *signature)
{
    char out[SIGN_V1_SIZE];
    buf_reset(&r->query);
    buf_reset(&r->string);
    sign_query(&r->query, pairs, n);
    sign_v1_string(&r->string, method, buf_text(&r->query));
    assert_true(sign_v1(buf_text(&r->string), text_of(secret), out));
    assert_string_equal(out, signature);
}

static void v1_gives_what_the_vendor_documents(void **state)
{
    struct sign_pair pairs[] = {P("Version", "2014-05-26"),
                                P("Action", "DescribeRegions"),
                                P("Format", "XML"),
                                P("AccessKeyId", "testid"),
                                P("SignatureMethod", "HMAC-SHA1"),
                                P("SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"),
                                P("SignatureVersion", "1.0"),
                                P("Timestamp", "2016-02-23T12:46:24Z")};
    assert_v1(*state, "GET", pairs, N_ELEMENTS(pairs), "testsecret", "OLeaidS1JvxuMvnyHOwuJ+uX5qY=");
}

static void v1_encodes_what_is_hard_to_encode(void **state)
{
    struct sign_pair pairs[] = {SNAT_PARAMETERS,
                                P("Version", "2016-04-28"),
                                P("Action", "CreateSnatEntry"),
                                P("Format", "JSON"),
                                P("AccessKeyId", "example-access-key-id"),
                                P("SecurityToken", "CAIS+/ExampleStsToken=="),
                                P("SignatureMethod", "HMAC-SHA1"),
                                P("SignatureNonce", "5f0e6d1c-2b7a-4c7f-9a55-0d8f6a1b2c3d"),
                                P("SignatureVersion", "1.0"),
                                P("Timestamp", "2024-05-06T07:08:09Z")};
    size_t n = N_ELEMENTS(pairs);
    assert_v1(*state, "POST", pairs, n, "example-access-key-secret", "Htom0ci/wiPiEMAVm2gT4k7RxCE=");
    assert_v1(*state, "GET", pairs, n, "example-access-key-secret", "mmBtY0hOIN1iiXgY6JCdN6w6eU8=");
}

static void assert_v3(struct rig *r, struct sign_v3 *request, const char *secret, const char *names,
                      const char *hash, const char *signature)
{
    char out[SIGN_V3_SIZE], string[128];
    buf_reset(&r->string);
    buf_reset(&r->headers);
    assert_true(sign_v3_string(&r->string, &r->headers, request));
    assert_string_equal(buf_str(&r->headers), names);
    (void)snprintf(string, sizeof string, "ACS3-HMAC-SHA256\n%s", hash);
    assert_string_equal(buf_str(&r->string), string);
    assert_true(sign_v3(buf_text(&r->string), text_of(secret), out));
    assert_string_equal(out, signature);
}

static void v3_gives_what_the_vendor_documents(void **state)
{
    struct rig *r = *state;
    struct sign_pair pairs[] = {P("RegionId", "cn-shanghai"),
                                P("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd")};
    struct sign_pair headers[] = {P("x-acs-version", "2014-05-26"),
                                  P("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
                                  P("x-acs-date", "2023-10-26T10:22:32Z"),
                                  P("x-acs-content-sha256", EMPTY_SHA256),
                                  P("x-acs-action", "RunInstances"),
                                  P("host", "ecs.cn-shanghai.aliyuncs.com")};
    buf_reset(&r->query);
    sign_query(&r->query, pairs, N_ELEMENTS(pairs));
    struct sign_v3 request = {"POST", "/", buf_text(&r->query), headers, N_ELEMENTS(headers), EMPTY_SHA256};
    assert_v3(r, &request, "YourAccessKeySecret",
              "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version",
              "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259",
              "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0");
}

static void v3_signs_a_session_token(void **state)
{
    struct rig *r = *state;
    struct sign_pair pairs[] = {SNAT_PARAMETERS};
    struct sign_pair headers[] = {P("host", "vpc.cn-shanghai.aliyuncs.com"),
                                  P("x-acs-accesskey-id", "example-access-key-id"),
                                  P("x-acs-action", "CreateSnatEntry"),
                                  P("x-acs-content-sha256", EMPTY_SHA256),
                                  P("x-acs-date", "2024-05-06T07:08:09Z"),
                                  P("x-acs-security-token", "  CAIS+/ExampleStsToken== "),
                                  P("x-acs-signature-nonce", "5f0e6d1c2b7a4c7f9a550d8f6a1b2c3d"),
                                  P("x-acs-version", "2016-04-28")};
    buf_reset(&r->query);
    sign_query(&r->query, pairs, N_ELEMENTS(pairs));
    struct sign_v3 request = {"POST", "/", buf_text(&r->query), headers, N_ELEMENTS(headers), EMPTY_SHA256};
    assert_v3(r, &request, "example-access-key-secret",
              "host;x-acs-accesskey-id;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-security-token;"
              "x-acs-signature-nonce;x-acs-version",
              "08d4fc6209d3ce1e05f4c77e495d0457744082918a4aa7fb48eb39211c9cf4ac",
              "c71fa6aa686f15119748c02376d2684074cf1705df93d37d8ab9886c6716ed79");
}

static void v3_signs_a_form_body(void **state)
{
    struct rig *r = *state;
    struct sign_pair pairs[] = {SNAT_PARAMETERS};
    char hash[DIGEST_HEX_SIZE];
    struct digest d;
    buf_reset(&r->query);
    sign_query(&r->query, pairs, N_ELEMENTS(pairs));
    digest_init(&d);
    digest_put(&d, r->query.ptr, r->query.len);
    assert_true(digest_hex(&d, hash));
    assert_string_equal(hash, "6cc96d10afb362d08c2e57e6a4261d1c4b4c388ffd84f9f43482abce624e74f2");
    struct sign_pair headers[] = {P("host", "vpc.cn-shanghai.aliyuncs.com"),
                                  P("content-type", "application/x-www-form-urlencoded"),
                                  P("x-acs-action", "CreateSnatEntry"),
                                  {TEXT("x-acs-content-sha256"), text_of(hash)},
                                  P("x-acs-date", "2024-05-06T07:08:09Z"),
                                  P("x-acs-signature-nonce", "5f0e6d1c2b7a4c7f9a550d8f6a1b2c3d"),
                                  P("x-acs-version", "2016-04-28")};
    struct sign_v3 request = {"POST", "/", {"", 0}, headers, N_ELEMENTS(headers), hash};
    assert_v3(
        r, &request, "example-access-key-secret",
        "content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version",
        "f49722559a2bbbde33b37f44351c86958be1c8a4538c074b391df1e48440976a",
        "226a2cd0a738f814c16986dcbafbd81427a76b30da0493ab8e908ae68a81fb40");
}

static void names_are_sorted_by_bytes(void **state)
{
    struct rig *r = *state;
    struct sign_pair pairs[] = {P("Tag.2.Key", "c"), P("Tag.10.Key", ""), P("Tag.1.Key", "a b"), P("A", "%")};
    buf_reset(&r->query);
    sign_query(&r->query, pairs, N_ELEMENTS(pairs));
    assert_string_equal(buf_str(&r->query), "A=%25&Tag.1.Key=a%20b&Tag.10.Key=&Tag.2.Key=c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(v1_gives_what_the_vendor_documents),
        T(v1_encodes_what_is_hard_to_encode),
        T(v3_gives_what_the_vendor_documents),
        T(v3_signs_a_session_token),
        T(v3_signs_a_form_body),
        T(names_are_sorted_by_bytes),
    };
    return cmocka_run_group_tests(tests, open_rig, close_rig);
}
