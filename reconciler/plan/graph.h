/* graph.h - the network that a stack describes, drawn as people draw networks.
 *
 * VPCs are boxes that hold vSwitches, which hold gateways and instances; EIPs stand between them and the
 * Internet. Lines are what routes, translates and binds. Text of the manifests is escaped for each format. */
#pragma once

#include "reconciler/base/buf.h"
#include "reconciler/plan/plan.h"

enum graph_format {
    GRAPH_DOT,     /* for Graphviz */
    GRAPH_MERMAID, /* a flowchart for Markdown */
    GRAPH_SVG,     /* a picture as it is */
};

/* Draws what is desired. With a plan (NULL: none), each resource is marked with what is done to it. The same
 * input gives the same drawing, byte for byte. When memory is out or the limit is reached, 'out' has failed.
 */
void graph_render(struct buf *out, const struct desired *desired, const struct plan *plan,
                  enum graph_format format);
