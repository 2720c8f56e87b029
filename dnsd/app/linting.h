#pragma once

#include <functional>
#include <memory>

#include "common/base/result.h"
#include "dnsd/app/mesh_state.h"
#include "dnsd/app/page.h"
#include "dnsd/app/slices.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::dnsd::app {

/// Makes the pages of `meshdnsctl lint`: findings about the objects of the catalog in the order of their keys, or about
/// the objects of the request in its order. All findings of an object are in one page. A page is a job of Slices; it
/// keeps the object that it looked at last, and goes on after it.
/// thread: control
class Linting {
 public:
  using Done = std::function<void(Result<v1::LintReply>)>;

  /// All references must outlive it.
  /// bytes: of a page
  Linting(const MeshState& mesh, Slices& slices, std::size_t bytes = PageBounds::kMostBytes)
      : mesh_(mesh), slices_(slices), bytes_(bytes) {}

  /// Makes a page and calls `done`.
  /// errors: InvalidArgument: a token of another kind of listing; Unavailable: too many calls at once
  void lint(const v1::LintRequest& request, const Done& done);

 private:
  struct Page;
  /// returns: true = the page is made
  bool go_on(Page& page, Slice& slice);
  bool look_at_live(Page& page, Slice& slice) const;
  bool look_at_given(Page& page, Slice& slice) const;
  /// Adds findings that belong to no single object: services that have lost their automatic host, and prefixes that
  /// several clusters claim.
  void add_contests(v1::LintReply& reply) const;

  const MeshState& mesh_;
  Slices& slices_;
  std::size_t bytes_;
};

}  // namespace meshdns::dnsd::app
