#pragma once

#include <functional>

#include "common/base/result.h"
#include "common/time/time.h"
#include "dnsd/app/explain_pages.h"
#include "dnsd/app/slices.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/explain/scene.h"
#include "dnsd/explain/survey.h"
#include "dnsd/publish/publisher.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::dnsd::app {

/// Answers `explain` and `simulate` calls. A simulation over all hosts (explain::Survey) is a job of Slices, so that
/// heartbeats are handled in between.
/// thread: control
class Simulations {
 public:
  static constexpr std::size_t kMostAtOnce = 4;
  /// Steps of a survey between two readings of the clock.
  static constexpr std::size_t kSteps = 8;

  using Done = std::function<void(Result<v1::SimulateReply>)>;

  /// Both references must outlive it.
  Simulations(const Clock& clock, Slices& slices)
      : clock_(clock), slices_(slices), explained_(clock, "Explain"), simulated_(clock, "Simulate") {}

  /// Returns a page that explains the answer of one host for one client.
  /// errors: InvalidArgument: client, listener or token; NotFound: host; Unavailable: nothing is published yet, or the
  ///         pages of the token are gone
  Result<v1::ExplainReply> explain(const catalog::Catalog& catalog, publish::Publisher& publisher,
                                   const v1::ExplainRequest& request);
  /// Calls `done` with the answers as they would be under a supposition: at once if the request names a host, later for
  /// all hosts. `catalog` and `publisher` must outlive this object.
  /// errors: as explain(); Unavailable: too many simulations or calls at once
  void simulate(const catalog::Catalog& catalog, publish::Publisher& publisher, const v1::SimulateRequest& request,
                const Done& done);

 private:
  template <class F>
  auto with_scene(const catalog::Catalog& catalog, publish::Publisher& publisher, F look);
  Result<v1::SimulateReply> simulate_host(const catalog::Catalog& catalog, publish::Publisher& publisher,
                                          const v1::SimulateRequest& request, const explain::Supposition& supposition);

  const Clock& clock_;
  Slices& slices_;
  ExplainPages<v1::ExplainReply> explained_;
  ExplainPages<v1::SimulateReply> simulated_;
  std::size_t running_ = 0;  // surveys under way
};

}  // namespace meshdns::dnsd::app
