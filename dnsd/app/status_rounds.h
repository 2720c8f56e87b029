#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "common/time/time.h"
#include "dnsd/admin/mesh.h"
#include "dnsd/app/mesh_state.h"
#include "dnsd/resources/follower.h"
#include "dnsd/resources/status_queue.h"

namespace meshdns::dnsd::app {

/// Finds out which status each object of the Kubernetes API should have, and tells the StatusQueue.
///
/// How it works: objects that have changed come first. Then, as long as the catalog changes, rounds go through all
/// objects, a page in each turn, because an endpoint can change the status of any object. So a turn costs a page,
/// whatever the number of objects is.
/// thread: control
class StatusRounds {
 public:
  struct Limits {
    Duration turn = 500ms;
    std::uint32_t page = 100;  // objects in one turn
  };
  using List = std::function<void(const v1::ListRequest&, std::function<void(Result<v1::ListReply>)>)>;
  /// All references must outlive it.
  struct Environment {
    Timers& timers;
    const MeshState& mesh;
    const resources::Follower& follower;
    resources::StatusQueue& queue;
    std::string cluster;
    List list;
    std::function<void()> wanted;  // the queue has been told something
  };

  StatusRounds(Environment environment, Limits limits) : env_(std::move(environment)), limits_(limits) {}
  StatusRounds(const StatusRounds&) = delete;
  StatusRounds& operator=(const StatusRounds&) = delete;
  ~StatusRounds();

  void start() { schedule(); }
  /// An object has changed: its status is looked at in the next turn.
  void look_at(const std::string& key) { changed_.insert(key); }

 private:
  void schedule();
  void turn();
  /// Looks at the next changed object; each answer leads to the next one.
  void next_changed(std::size_t left);
  void next_page();
  void take(const Result<v1::ListReply>& page);
  /// Looks at objects that are in the API and not in force: none of the pages has them.
  void end_round();
  void want(const std::string& key, const v1::ObjectStatus& status);

  Environment env_;
  const Limits limits_;
  std::optional<TimerId> timer_;
  std::set<std::string> changed_;  // keys
  bool asking_ = false;            // a page has not come yet
  bool in_round_ = false;
  std::size_t kind_ = 0;  // of the round
  std::string continue_;
  std::uint64_t revision_ = 0;  // of the catalog when the last round began
  /// Guards callbacks that come after the end.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace meshdns::dnsd::app
