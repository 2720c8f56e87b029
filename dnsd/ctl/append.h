#pragma once

#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

// Each function adds the next page of an answer to the previous pages; `all` is empty before the first page.

void append(v1::ExplainReply page, v1::ExplainReply& all);
void append(v1::SimulateReply page, v1::SimulateReply& all);
void append(v1::ListReply page, v1::ListReply& all);
void append(v1::LintReply page, v1::LintReply& all);
void append(v1::EventsReply page, v1::EventsReply& all);

}  // namespace meshdns::ctl
