#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/kubernetes/token_review.h"
#include "common/log/reminder.h"
#include "common/time/time.h"
#include "dnsd/enrolment/api_server.h"

namespace meshdns::enrolment {

/// Asks an API server whose service account tokens are, a few at once; the others wait.
///
/// Nobody has proved anything when a token comes, so all of it is bounded: the number of tokens that wait, how many of
/// them come from one address, and the time until a caller is told to come again.
/// thread: the loop's
class TokenReviews {
 public:
  struct Options {
    std::string audience;        // for which tokens have to be made
    std::size_t at_once = 8;     // questions to the API server
    std::size_t waiting = 1000;  // tokens that are here, with those that are asked about
    Duration timeout = 8s;       // from the arrival of a token to its answer
  };
  static constexpr std::size_t kShares = 8;  // an address has one of these shares of Options::waiting
  static constexpr std::size_t kLongestToken = std::size_t{16} << 10;

  /// Tokens by what became of them.
  struct Counts {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;      // by the API server
    std::uint64_t failed = 0;       // the API server gave no answer
    std::uint64_t turned_away = 0;  // there were too many
  };
  using Reviewed = std::function<void(Result<kubernetes::ReviewedToken>)>;

  /// clock, timers: must outlive this
  TokenReviews(Options options, ApiServer server, const Clock& clock, Timers& timers);
  TokenReviews(const TokenReviews&) = delete;
  TokenReviews& operator=(const TokenReviews&) = delete;
  ~TokenReviews() { end(); }

  /// Finds out whose a token is.
  /// address: from which it came, as bounds see it
  /// done:    called exactly once, maybe before this returns
  /// errors:  PermissionDenied: as read_token_review(), or the text can be no token. Unavailable: the caller may try
  ///          again
  void review(const std::string& token, const std::string& address, Reviewed done);
  /// Answers everybody who waits and everybody who comes later with Unavailable.
  void end();

  const Counts& counts() const { return counts_; }
  std::size_t waiting() const { return tokens_.size(); }
  /// Why the API server was of no use at the last question; empty = it was.
  const std::string& trouble() const { return trouble_; }

 private:
  using Id = std::uint64_t;
  struct Token {
    std::string body;  // of the request
    std::string address;
    Reviewed done;
    TimerId timer;
    std::optional<kubernetes::Call> call;  // nothing = not asked yet
  };

  void ask_next();
  void answered(Id id, const Result<kubernetes::Answer>& answer);
  /// Takes a token out, and tells its caller.
  void finish(Id id, Result<kubernetes::ReviewedToken> result);
  /// Returns what an answer says.
  /// errors: as for review(); Unavailable: the API server did not answer the question
  Result<kubernetes::ReviewedToken> judged(const Result<kubernetes::Answer>& answer) const;
  /// Logs the begin and the end of a trouble with the API server.
  void note(const Result<kubernetes::ReviewedToken>& result);

  const Options options_;
  const ApiServer server_;
  const Clock& clock_;
  Timers& timers_;
  Id last_ = 0;
  std::map<Id, Token> tokens_;
  std::map<std::string, std::size_t> by_address_;  // tokens of each address
  std::deque<Id> queue_;                           // not asked about yet; some may have gone
  std::size_t asked_ = 0;
  bool ended_ = false;
  Counts counts_;
  std::string trouble_;
  log::Reminder reminder_;
};

}  // namespace meshdns::enrolment
