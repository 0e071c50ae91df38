/* provider_mock.h - the provider `mock`: a cloud's own mapping over the simulated cloud, in this process.
 *
 * Requests are built and answers are read by the same code that talks to the real cloud; only the transport
 * differs. The simulator carries a request out at once, inside send_start(); the answer arrives on the loop
 * when the cloud's latency has passed. */
#pragma once

#include "providers/mock/mock.h"
#include "providers/provider.h"

/* Opens the provider. 'cloud' and 'mock' are borrowed and must outlive it.
 *
 * What send() adds to the contract of provider.h:
 *  - when the simulator's fault script loses a request or its answer, or the answer would come later than
 *    timeout_ms (0: no limit), the fate is SEND_UNKNOWN and err is ERR_UNKNOWN, "connection reset" or "timed
 *    out";
 *  - a failure of the simulator itself is SEND_UNKNOWN with the simulator's own error;
 *  - what was canceled may have taken effect, as with a real cloud.
 * close() lets what is under way arrive (cancel what need not be waited for). After it nothing may be started
 * but from a 'done', and that is SEND_NOT_SENT. free() may be called from 'closed' on.
 *
 * Errors: ERR_NOMEM, ERR_IO from the loop. */
MUST_CHECK enum err_code provider_mock_open(uv_loop_t *loop, const struct cloud *cloud, struct mock *mock,
                                            struct provider **out, struct err *err);
