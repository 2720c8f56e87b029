#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/discovery/container_endpoints.h"
#include "agent/discovery/container_store.h"
#include "agent/discovery/endpoint_source.h"
#include "common/http/streamed_get.h"
#include "common/kubernetes/line_splitter.h"
#include "common/metrics/samples.h"
#include "common/process/event_loop.h"
#include "common/rpc/backoff.h"

namespace meshdns::agent::app {

/// The discovery source that follows the containers of this node at the API of Docker or Podman.
///
///   GET /version ----------> which API
///   GET /events  ----------> ContainerStore: what ended counts at once
///   GET /containers/json --> ContainerStore: which ones to inspect     -> endpoints_of() -> changed
///   GET /containers/ID/json> ContainerStore: what they are
///
/// The events are asked for before the list, from that second on, so that none is missed whenever the server begins to
/// send them. The list is asked for again every `relist`, which also shows a server that hangs.
///
/// The API may be away for as long as it wants: what was known stays, and is checked as before. The source is not
/// listed meanwhile, so that the federation withdraws nothing either.
/// thread: the loop's
class ContainerSource : public discovery::EndpointSource {
 public:
  struct Limits {
    Duration relist = 1min;
    Duration patience = 10s;         // for an answer, except the events
    Duration first_patience = 1min;  // for the version: Podman asks the package manager for those of its parts
    /// How long the head of the events may be missing: Podman before version 5 sends it with the first event.
    Duration silence = 1s;
    Duration lasting = 10s;  // a connection that breaks sooner is tried again later and later
    std::size_t longest_answer = std::size_t{32} << 20;  // bytes
    std::size_t longest_event = std::size_t{1} << 20;    // bytes
  };

  /// loop, clock: must outlive the source
  /// sockets:     the paths of the API's socket; the first one that exists is taken
  /// changed:     endpoints() or state() changed; called from the loop, never within a call of this class
  ContainerSource(process::EventLoop& loop, const Clock& clock, std::vector<std::string> sockets,
                  discovery::Defaults defaults, const Limits& limits, std::function<void()> changed);
  ~ContainerSource() override;
  ContainerSource(const ContainerSource&) = delete;
  ContainerSource& operator=(const ContainerSource&) = delete;

  void start();
  /// Replaces the addresses of the node; `changed` follows if an endpoint has them.
  void set_defaults(discovery::Defaults defaults);

  std::string_view name() const override;
  const std::vector<discovery::Discovered>& endpoints() const override { return listing_.endpoints; }
  discovery::SourceState state() const override;

  void collect(std::vector<metrics::Sample>& out) const;

 private:
  using Done = std::function<void(const std::string& body)>;

  /// Makes the first request of a connection to the API.
  void begin();
  void take_version(const std::string& body);
  void follow_events();
  void take_events(std::string_view bytes);
  void ask_for_list();
  void take_list(const std::string& body);
  /// Makes the next request, if none is under way.
  void step();
  void inspect(const std::string& id);
  /// Everything that the last list has named is known: the source is listed, and asks for the list again later.
  void settled();
  /// Asks for an answer as a whole.
  /// missing: what to do with the status 404; null = that is a failure
  void ask(const std::string& target, Done done, std::function<void()> missing = nullptr);
  void answered(const std::string& target, const Result<void>& result, const Done& done,
                const std::function<void()>& missing);
  /// Ends all requests, and begins anew later.
  void fail(const std::string& problem);
  void wait(Duration delay, std::function<void()> then);
  void publish_soon();
  void publish();

  process::EventLoop& loop_;
  const Clock& clock_;
  const std::vector<std::string> sockets_;
  discovery::Defaults defaults_;
  const Limits limits_;
  const std::function<void()> changed_;
  discovery::ContainerStore store_;
  discovery::ContainerListing listing_;
  std::string socket_;     // of the last connection
  std::string engine_;     // for people
  std::string version_;    // of the API, as the beginning of a path: "/v1.41"
  std::string problem_;    // why the source is not listed
  bool listed_ = false;    // the containers are known, and the events of the API come
  bool known_ = false;     // they were once
  bool list_due_ = false;  // a list is to be asked for
  bool settled_ = false;   // the last list and all that it named is known
  kubernetes::LineSplitter lines_;
  int status_ = 0;         // of the answer that comes
  std::string body_;       // likewise
  int events_status_ = 0;  // 0 = the head has not come
  TimePoint events_asked_{};
  std::optional<TimePoint> up_since_;  // of this connection: when it was settled first
  std::string events_body_;            // of a refusal
  rpc::Backoff backoff_;
  std::uint64_t events_count_ = 0, failures_ = 0;
  std::optional<TimerId> timer_, publish_timer_;
  std::unique_ptr<http::StreamedGet> request_, events_;
};

}  // namespace meshdns::agent::app
