#pragma once

#include <functional>
#include <list>

#include "common/base/result.h"
#include "common/time/time.h"
#include "dnsd/app/publisher.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/explain/scene.h"
#include "dnsd/explain/survey.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::app {

/// Answers what explain and simulate ask of a running meshdnsd. A look at all hosts is made in slices: heartbeats come
/// in between.
/// thread: control
class Simulations {
 public:
  static constexpr std::size_t kSlice = 64;  // hosts
  static constexpr std::size_t kMostAtOnce = 4;

  using Done = std::function<void(Result<v1::SimulateReply>)>;

  Simulations(const Clock& clock, Timers& timers) : clock_(clock), timers_(timers) {}
  Simulations(const Simulations&) = delete;
  Simulations& operator=(const Simulations&) = delete;
  ~Simulations();

  /// errors: InvalidArgument (client, listener), NotFound (host), Unavailable (nothing is published yet)
  Result<v1::ExplainReply> explain(const catalog::Catalog& catalog, Publisher& publisher,
                                   const v1::ExplainRequest& request);
  /// done: at once for one host. catalog and publisher outlive it. errors: as above; Unavailable: too many at once
  void simulate(const catalog::Catalog& catalog, Publisher& publisher, const v1::SimulateRequest& request, Done done);

 private:
  struct Running {
    const catalog::Catalog& catalog;
    Publisher& publisher;
    explain::Survey survey;
    Done done;
    TimerId timer = 0;
  };

  template <class F>
  auto with_scene(const catalog::Catalog& catalog, Publisher& publisher, F look);
  void go_on(std::list<Running>::iterator at);

  const Clock& clock_;
  Timers& timers_;
  std::list<Running> running_;
};

}  // namespace meshdns::app
