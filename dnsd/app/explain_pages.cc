#include "dnsd/app/explain_pages.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/text.h"

namespace meshdns::dnsd::app {
namespace {

std::size_t bytes_of(const std::string& row) { return row.size(); }
template <class Row>
std::size_t bytes_of(const Row& row) {
  return row.ByteSizeLong();
}

/// Copies the rows of one page from a whole reply, one repeated field after the other. Rows are numbered over all
/// fields, so that one number says where a page begins.
class RowCopy {
 public:
  RowCopy(std::size_t begin, PageFill& fill) : begin_(begin), fill_(fill) {}

  /// Copies the rows of the next field that belong to the page.
  /// to: returns the field to add to; called only if there is a row to add
  template <class Rows, class F>
  void copy(const Rows& from, F to) {
    const auto size = static_cast<std::size_t>(from.size());
    const std::size_t first = seen_;
    seen_ += size;
    if (next_) return;
    for (std::size_t i = begin_ > first ? begin_ - first : 0; i < size; ++i) {
      const auto& row = from.Get(static_cast<int>(i));
      if (!fill_.add(bytes_of(row))) {
        next_ = first + i;
        return;
      }
      *to()->Add() = row;
    }
  }
  /// Returns the number of the first row of the next page; nothing = this page is the last one.
  std::optional<std::size_t> next() const { return next_; }

 private:
  std::size_t begin_;  // number of the page's first row
  PageFill& fill_;
  std::size_t seen_ = 0;  // rows of all fields so far
  std::optional<std::size_t> next_;
};

v1::ExplainReply head_of(const v1::ExplainReply& whole) {
  v1::ExplainReply out = whole;
  out.clear_answer();
  for (v1::ExplainedTier& tier : *out.mutable_tiers()) {
    tier.clear_endpoints();
    tier.clear_answer();
  }
  return out;
}

v1::SimulateReply head_of(const v1::SimulateReply& whole) {
  v1::SimulateReply out;
  *out.mutable_before() = head_of(whole.before());
  *out.mutable_after() = head_of(whole.after());
  *out.mutable_notes() = whole.notes();
  return out;
}

/// Returns a tier of a page, and adds it if it is missing. The first page has all tiers; a later page only has tiers
/// with rows in it.
v1::ExplainedTier* tier_in(v1::ExplainReply& out, std::uint32_t number) {
  const auto found = std::ranges::find(*out.mutable_tiers(), number, &v1::ExplainedTier::number);
  if (found != out.mutable_tiers()->end()) return &*found;
  v1::ExplainedTier* added = out.add_tiers();
  added->set_number(number);
  return added;
}

void copy_rows(const v1::ExplainReply& whole, RowCopy& rows, v1::ExplainReply& out) {
  for (const v1::ExplainedTier& tier : whole.tiers()) {
    rows.copy(tier.endpoints(), [&] { return tier_in(out, tier.number())->mutable_endpoints(); });
    rows.copy(tier.answer(), [&] { return tier_in(out, tier.number())->mutable_answer(); });
  }
  rows.copy(whole.answer(), [&] { return out.mutable_answer(); });
}

void copy_rows(const v1::SimulateReply& whole, RowCopy& rows, v1::SimulateReply& out) {
  copy_rows(whole.before(), rows, *out.mutable_before());
  copy_rows(whole.after(), rows, *out.mutable_after());
  rows.copy(whole.endpoints(), [&] { return out.mutable_endpoints(); });
}

std::size_t rows_of(const v1::ExplainReply& reply) {
  int out = reply.answer_size();
  for (const v1::ExplainedTier& tier : reply.tiers()) out += tier.endpoints_size() + tier.answer_size();
  return static_cast<std::size_t>(out);
}

std::size_t rows_of(const v1::SimulateReply& reply) {
  return rows_of(reply.before()) + rows_of(reply.after()) + static_cast<std::size_t>(reply.endpoints_size());
}

}  // namespace

template <class Reply>
Reply ExplainPages<Reply>::page(const Kept& kept, std::size_t begin, std::size_t rows) const {
  PageFill fill({rows, bytes_});
  Reply out;
  if (begin == 0) out = head_of(kept.whole);
  fill.count(0, out.ByteSizeLong());
  RowCopy copy(begin, fill);
  copy_rows(kept.whole, copy, out);
  if (!copy.next()) return out;
  const std::string place = std::to_string(kept.id) + "/" + std::to_string(*copy.next());
  out.set_continue_(Continue{name_, 0, place}.text());
  return out;
}

template <class Reply>
Reply ExplainPages<Reply>::first(Reply whole, std::size_t rows) {
  drop_old();
  if ((rows == 0 || rows_of(whole) <= rows) && whole.ByteSizeLong() <= bytes_) return whole;
  kept_.push_back({next_id_++, std::move(whole), clock_.now()});
  if (kept_.size() > kMostKept) kept_.pop_front();
  Reply out = page(kept_.back(), 0, rows);
  if (out.continue_().empty()) kept_.pop_back();
  return out;
}

template <class Reply>
Result<Reply> ExplainPages<Reply>::next(const std::string& token, std::size_t rows) {
  drop_old();
  const auto place = Continue::parse(token, name_);
  if (!place) return place.error();
  const auto numbers = split(place->after, '/');
  const auto id = parse_uint(numbers.front());
  const auto begin = parse_uint(numbers.back());
  if (numbers.size() != 2 || !id || !begin) return Error(Code::InvalidArgument, "continue: this is no token");
  const auto found = std::ranges::find(kept_, *id, &Kept::id);
  if (found == kept_.end()) return Error(Code::Unavailable, "continue: its pages are gone; begin with the first one");
  kept_.splice(kept_.end(), kept_, found);
  kept_.back().asked = clock_.now();
  Reply out = page(kept_.back(), *begin, rows);
  if (out.continue_().empty()) kept_.pop_back();
  return out;
}

template <class Reply>
void ExplainPages<Reply>::drop_old() {
  std::erase_if(kept_, [now = clock_.now()](const Kept& kept) { return now - kept.asked >= kKeep; });
}

template class ExplainPages<v1::ExplainReply>;
template class ExplainPages<v1::SimulateReply>;

}  // namespace meshdns::dnsd::app
