#pragma once

#include <functional>
#include <memory>

#include "common/base/result.h"
#include "dnsd/app/lint_names.h"
#include "dnsd/app/page.h"
#include "dnsd/app/slices.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::app {

struct Parts;

/// Makes the pages of `meshdnsctl lint`: objects by key, or in the order of the request, each with all its findings. A
/// page is a job of Slices that goes on at the object after the one that it looked at last.
/// thread: control
class Linting {
 public:
  using Done = std::function<void(Result<v1::LintReply>)>;

  /// All must outlive it. bytes: of a page
  Linting(const Parts& parts, Slices& slices, LintNames& names, std::size_t bytes = PageBounds::kMostBytes)
      : parts_(parts), slices_(slices), names_(names), bytes_(bytes) {}

  /// errors: InvalidArgument: a token of something else; Unavailable: too many calls at once
  void lint(const v1::LintRequest& request, const Done& done);

 private:
  struct Page;
  /// returns: true = the page is made
  bool go_on(Page& page, Slice& slice);
  bool look_at_live(Page& page, Slice& slice) const;
  bool look_at_given(Page& page, Slice& slice) const;
  /// Adds what is suspicious of no single object: services that have lost their host, prefixes that several clusters
  /// claim.
  void add_contests(v1::LintReply& reply) const;

  const Parts& parts_;
  Slices& slices_;
  LintNames& names_;
  std::size_t bytes_;
};

}  // namespace meshdns::app
