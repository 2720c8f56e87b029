#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "dnsd/app/hostname_service.h"
#include "dnsd/app/mesh_state.h"
#include "dnsd/app/page.h"
#include "dnsd/app/record_source.h"
#include "dnsd/app/slices.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::dnsd::app {

/// Makes the pages of `meshdnsctl get`: rows in the order of their keys, from the place where the previous page ended.
///
/// How it works: a page is a job of Slices. It keeps the last key that it has shown and looks up the next one, so that
/// records may come and go between slices and between pages. A record that exists the whole time is shown exactly once.
/// Deliberately not done: nothing is copied or pinned for a listing, so its pages are of different revisions.
/// thread: control
class Listing {
 public:
  using Done = std::function<void(Result<v1::ListReply>)>;

  /// All references must outlive the listing.
  struct Environment {
    const MeshState& mesh;
    const RecordSource& source;
    const HostnameService& hostnames;
  };

  /// `slices` must outlive the listing.
  /// bytes: of a page
  Listing(Environment environment, Slices& slices, std::size_t bytes = PageBounds::kMostBytes)
      : env_(environment), slices_(slices), bytes_(bytes) {}

  /// Makes a page and calls `done`.
  /// errors: InvalidArgument: no such kind, a wrong filter, or a token of another listing; NotFound: no record has the
  ///         key; Unavailable: too many calls at once
  void list(const v1::ListRequest& request, const Done& done);

 private:
  struct Page;
  /// returns: true = the page is made
  bool go_on(Page& page, Slice& slice);
  bool look_at_nodes(Page& page, Slice& slice);
  bool look_at_endpoints(Page& page, Slice& slice);
  bool look_at_objects(Page& page, Slice& slice);

  v1::NodeInfo node_info(const model::Node& node) const;
  v1::EndpointInfo endpoint_info(const model::Endpoint& endpoint) const;
  /// Writes the distances and gateways that the agents of a cluster have measured.
  template <class Out>
  void write_measured(const std::string& cluster, Out& out) const;
  /// Adds the clusters that have nodes and no object.
  void add_undeclared(Page& page) const;
  /// Whether a record has exactly the key of the request.
  bool has_key(const v1::ListRequest& request) const;
  /// Returns the hint of meant_key() for a key that no record has.
  std::string meant(const v1::ListRequest& request) const;
  /// Writes the condition that says whether the hostnames of the object's external endpoints are resolved.
  void write_names_condition(v1::Object& object) const;

  Environment env_;
  Slices& slices_;
  std::size_t bytes_;
};

}  // namespace meshdns::dnsd::app
