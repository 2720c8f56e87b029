#include "dnsd/ctl/append.h"

#include <algorithm>
#include <utility>

namespace meshdns::ctl {
namespace {

/// Adds a page's rows: a tier continues the tier with the same number, everything else is appended.
void add_rows(const v1::ExplainReply& page, v1::ExplainReply& all) {
  for (const v1::ExplainedTier& tier : page.tiers()) {
    const auto found = std::ranges::find(*all.mutable_tiers(), tier.number(), &v1::ExplainedTier::number);
    v1::ExplainedTier& known = found == all.mutable_tiers()->end() ? *all.add_tiers() : *found;
    known.mutable_endpoints()->MergeFrom(tier.endpoints());
    known.mutable_answer()->MergeFrom(tier.answer());
    known.set_number(tier.number());
  }
  all.mutable_answer()->MergeFrom(page.answer());
}

}  // namespace

void append(v1::ExplainReply page, v1::ExplainReply& all) {
  if (all.host().empty()) {
    all = std::move(page);
  } else {
    add_rows(page, all);
  }
  all.clear_continue_();
}

void append(v1::SimulateReply page, v1::SimulateReply& all) {
  if (!all.has_before()) {
    all = std::move(page);
  } else {
    add_rows(page.before(), *all.mutable_before());
    add_rows(page.after(), *all.mutable_after());
    all.mutable_endpoints()->MergeFrom(page.endpoints());
  }
  all.clear_continue_();
}

void append(v1::ListReply page, v1::ListReply& all) {
  page.clear_continue_();
  all.MergeFrom(page);
}

void append(v1::LintReply page, v1::LintReply& all) {
  all.mutable_findings()->MergeFrom(page.findings());
  all.set_objects(all.objects() + page.objects());
}

void append(v1::EventsReply page, v1::EventsReply& all) {
  all.mutable_events()->MergeFrom(page.events());
  all.set_last(page.last());
}

}  // namespace meshdns::ctl
