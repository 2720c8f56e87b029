#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>

#include "common/base/result.h"
#include "common/time/time.h"
#include "dnsd/app/page.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::dnsd::app {

/// Divides explanations and simulations of hosts with many endpoints into pages. The rows are endpoints, addresses and
/// endpoint changes, in the order in which the reply has them; everything else is in the first page.
///
/// How it works: a reply that fits into one page is passed on and forgotten. Any other reply is kept as a whole, so
/// that all its pages are of one revision; the token of a page names the reply and the next row. A reply is dropped
/// when no page of it was asked for within kKeep, or when kMostKept other replies were asked for later. `Reply` is
/// v1::ExplainReply or v1::SimulateReply.
/// thread: control
template <class Reply>
class ExplainPages {
 public:
  static constexpr Duration kKeep = 30s;
  static constexpr std::size_t kMostKept = 4;

  /// name:  in tokens, so that a token of another call is refused
  /// bytes: of a page
  ExplainPages(const Clock& clock, std::string name, std::size_t bytes = PageBounds::kMostBytes)
      : clock_(clock), name_(std::move(name)), bytes_(bytes) {}

  /// Returns the first page of a reply.
  /// rows: the most rows of the page; 0 = as many as fit
  Reply first(Reply whole, std::size_t rows);
  /// Returns the page that a token names.
  /// errors: InvalidArgument: the token is not of such a page; Unavailable: the reply is not kept any more
  Result<Reply> next(const std::string& token, std::size_t rows);

 private:
  struct Kept {
    std::uint64_t id = 0;
    Reply whole;
    TimePoint asked;
  };
  Reply page(const Kept& kept, std::size_t begin, std::size_t rows) const;
  void drop_old();

  const Clock& clock_;
  std::string name_;
  std::size_t bytes_;
  std::uint64_t next_id_ = 1;
  std::list<Kept> kept_;  // in the order of `asked`
};

extern template class ExplainPages<v1::ExplainReply>;
extern template class ExplainPages<v1::SimulateReply>;

}  // namespace meshdns::dnsd::app
