#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/result.h"
#include "common/kubernetes/collection.h"
#include "common/kubernetes/events.h"
#include "common/kubernetes/watch_event.h"
#include "common/time/time.h"

namespace meshdns::kubernetes {

/// Decides how a collection is followed: which request comes next and when, and what the consumer is told.
///
/// How it works: next() says what to do now. The owner does it, calls the function for what came of it, and asks next()
/// again. At most one request runs at a time.
///
///            .---------- 410, silence, a damaged line: a new initial list ---------.
///            v                                                                     |
///      initial watch ------ bookmark with initial-events-end ------> resumed watch |
///            |                                                        ^    |  ^    |
///            | 422: the server cannot do this                         |    v  |    |
///            v                                                        |   pause ---'
///        pages of a list ------ the last page ------------------------'
///
/// A request that fails is made again after a pause: the same page, the initial watch from its start, or the resumed
/// watch from the last version. Pauses double from `shortest_backoff` to `longest_backoff`, each drawn between zero and
/// its whole, until a list is complete or a resumed watch says something. Nothing that happens here withdraws an
/// object: only a Deleted event does, or a Listed that comes after a whole list without the object.
///
/// Silence is counted over the time in which a watch is open, also over several watches: a server whose versions are
/// behind ours (etcd was restored) accepts each watch and says nothing, not even a bookmark.
///
/// Deliberately not done: the versions of single objects are not compared. Versions are opaque, and after a restore of
/// etcd they go back.
class WatchMachine {
 public:
  struct Limits {
    std::size_t page = 500;  // objects
    Duration shortest_backoff = 800ms;
    Duration longest_backoff = 4s;        // an API server that is well again is heard within 5 s (docs/adr/0042)
    Duration longest_retry_after = 1min;  // of what a server asks for
    Duration spread = 1s;                 // pauses that no failure causes lie between zero and this
    Duration silence = 150s;              // the server sends a bookmark each minute
    std::chrono::seconds shortest_watch = 300s;
    std::chrono::seconds longest_watch = 600s;
    Duration too_short = 5s;  // a watch that says nothing and is over so soon has failed
  };
  /// Returns a random number of [0, 1).
  using Random = std::function<double()>;

  /// Make this request.
  struct Ask {
    Verb verb{};
    std::string target;
    std::string accept;
    bool read_token = false;  // read the token again before
  };
  /// End the request that runs.
  struct Stop {};
  /// Do nothing until something comes of the request, and at the latest until then.
  struct Wait {
    std::optional<TimePoint> until;
  };
  using Action = std::variant<Ask, Stop, Wait>;

  /// Why the collection cannot be followed at present.
  struct Problem {
    int code = 0;      // of HTTP; 0 = no answer
    std::string text;  // empty = there is no problem
  };

  WatchMachine(Collection collection, Limits limits, Random random);

  /// Returns what to do now. An Ask or a Stop is returned once.
  Action next(TimePoint now);

  // What came of the request; for the owner of the machine to call. They return what the consumer is to be told.

  /// The server has accepted the watch (status 200).
  std::optional<Notice> accepted(TimePoint now);
  /// The watch has said something.
  std::optional<Notice> take(WatchEvent event, TimePoint now);
  /// The list has answered with a page.
  std::vector<Notice> take(Page page, TimePoint now);
  /// The answer had another status than 200.
  void refused(const Refusal& refusal, TimePoint now);
  /// The server has ended the watch in the regular way.
  void ended(TimePoint now);
  /// There was no answer, or it broke off.
  void failed(const Error& error, TimePoint now);
  /// The answer cannot be read.
  void damaged(const Error& error, TimePoint now);

  /// Whether the consumer has been told a whole list once. This stays true, also while a new list is read.
  bool listed() const { return listed_; }
  const Problem& problem() const { return problem_; }
  /// When the server last said something about the collection: an event, a bookmark or a page.
  std::optional<TimePoint> last_news() const { return last_news_; }

 private:
  enum class Phase : std::uint8_t { Pause, Listing, Opening, Streaming };
  enum class Goal : std::uint8_t { InitialWatch, Page, Resume };

  Ask ask();
  std::chrono::seconds watch_length() const;
  Verb verb() const { return goal_ == Goal::Page ? Verb::List : Verb::Watch; }
  TimePoint silent_at() const { return quiet_since_ + (limits_.silence - quiet_); }

  std::optional<Notice> take_bookmark(const Bookmark& bookmark);
  void take_refusal(const Refusal& refusal, bool within_watch, TimePoint now);
  bool take_expected(const Refusal& refusal, bool within_watch, TimePoint now);
  void became_silent(TimePoint now);

  void news(TimePoint now);
  void complete(std::string version);
  void healthy();
  void begin_anew();

  /// Ends the request: no further call comes of it.
  void leave(TimePoint now);
  void pause(TimePoint now, Duration delay) { due_ = now + delay; }
  void back_off(TimePoint now, std::optional<Duration> retry_after = std::nullopt);
  Duration random_part_of(Duration whole) const;

  const Collection collection_;
  const Limits limits_;
  const Random random_;

  Phase phase_ = Phase::Pause;
  Goal goal_ = Goal::InitialWatch;
  bool stop_ = false;               // the request is to be ended
  TimePoint due_{Duration::min()};  // of the next request
  unsigned failures_ = 0;           // that determine the pause
  bool by_pages_ = false;           // the server cannot do initial watches
  bool read_token_ = false;         // before the next request
  bool token_is_new_ = false;       // the token was read again after a 401
  bool expired_ = false;            // a 410 has come, and no list was complete since

  std::string version_;  // from which the watch is resumed
  std::string next_page_;
  bool listed_ = false;

  TimePoint opened_{};       // the watch
  bool heard_ = false;       // an event or a bookmark in this watch
  TimePoint quiet_since_{};  // the watch is open and silent since then
  Duration quiet_{};         // time of silence in the watches before
  std::optional<TimePoint> last_news_;

  Problem problem_;
  bool problem_within_ = false;  // the problem came within a watch that had been accepted
};

}  // namespace meshdns::kubernetes
