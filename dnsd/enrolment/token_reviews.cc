#include "dnsd/enrolment/token_reviews.h"

#include <algorithm>
#include <utility>

#include "common/kubernetes/credentials.h"
#include "common/kubernetes/refusal.h"
#include "common/log/log.h"
#include "common/time/duration_text.h"

namespace meshdns::enrolment {
namespace {

Error later(const std::string& why) { return {Code::Unavailable, "service account token: " + why}; }

}  // namespace

TokenReviews::TokenReviews(Options options, ApiServer server, const Clock& clock, Timers& timers)
    : options_(std::move(options)), server_(std::move(server)), clock_(clock), timers_(timers) {}

void TokenReviews::review(const std::string& token, const std::string& address, Reviewed done) {
  if (ended_) return done(later("this federation ends"));
  const auto text = kubernetes::parse_token(token);
  if (!text || token.size() > kLongestToken)
    return done(Error(Code::PermissionDenied, "service account token: it can be none (rule token-review)"));
  std::size_t& of_address = by_address_[address];
  const bool full = tokens_.size() >= options_.waiting;
  if (full || of_address >= std::max<std::size_t>(1, options_.waiting / kShares)) {
    if (of_address == 0) by_address_.erase(address);
    ++counts_.turned_away;
    return done(later(full ? "too many wait to be reviewed" : "too many of this address wait to be reviewed"));
  }
  ++of_address;
  const Id id = ++last_;
  const TimerId timer = timers_.after(options_.timeout, [this, id] {
    const Result<kubernetes::ReviewedToken> late =
        later("the API server " + server_.name + " has not answered within " + duration_text(options_.timeout));
    ++counts_.failed;
    note(late);
    finish(id, late);
  });
  tokens_.emplace(id,
                  Token{kubernetes::token_review_text(*text, options_.audience), address, std::move(done), timer, {}});
  queue_.push_back(id);
  ask_next();
}

void TokenReviews::ask_next() {
  while (asked_ < options_.at_once && !queue_.empty()) {
    const Id id = queue_.front();
    queue_.pop_front();
    const auto token = tokens_.find(id);
    if (token == tokens_.end()) continue;  // its time was over
    ++asked_;
    kubernetes::Request request;
    request.method = "POST";
    request.target = kubernetes::kTokenReviews;
    request.body = std::exchange(token->second.body, "");
    token->second.call = server_.send(std::move(request),
                                      [this, id](const Result<kubernetes::Answer>& answer) { answered(id, answer); });
  }
}

Result<kubernetes::ReviewedToken> TokenReviews::judged(const Result<kubernetes::Answer>& answer) const {
  if (!answer) return later(server_.name + ": " + answer.error().message());
  if (!is_success(*answer)) {
    const auto why = kubernetes::parse_refusal(answer->status, answer->retry_after, answer->body);
    return later("the API server " + server_.name + " reviews none: " + why.text());
  }
  auto out = kubernetes::read_token_review(answer->body, options_.audience);
  if (!out && out.error().code() != Code::PermissionDenied) return later(server_.name + ": " + out.error().message());
  return out;
}

void TokenReviews::answered(Id id, const Result<kubernetes::Answer>& answer) {
  if (!tokens_.contains(id)) return;  // its time was over
  if (answer && answer->status == kubernetes::kUnauthorized) server_.expire_token();
  auto result = judged(answer);
  const bool refused = !result && result.error().code() == Code::PermissionDenied;
  ++(result ? counts_.accepted : refused ? counts_.refused : counts_.failed);
  note(result);
  finish(id, std::move(result));
}

void TokenReviews::note(const Result<kubernetes::ReviewedToken>& result) {
  const bool useless = !result && result.error().code() == Code::Unavailable;
  trouble_ = useless ? result.error().message() : "";
  if (useless && reminder_.due(clock_.now())) {
    log::warn("pods cannot be recognised", {{"reason", trouble_}});
  } else if (!useless && reminder_.ends()) {
    log::info("pods are recognised again", {{"server", server_.name}});
  }
}

void TokenReviews::finish(Id id, Result<kubernetes::ReviewedToken> result) {
  auto ended = tokens_.extract(id);
  if (ended.empty()) return;
  Token& token = ended.mapped();
  timers_.cancel(token.timer);
  if (token.call) --asked_;
  const auto of_address = by_address_.find(token.address);
  if (--of_address->second == 0) by_address_.erase(of_address);
  token.done(std::move(result));
  if (!ended_) ask_next();
}

void TokenReviews::end() {
  ended_ = true;
  while (!tokens_.empty()) finish(tokens_.begin()->first, later("this federation ends"));
  queue_.clear();
}

}  // namespace meshdns::enrolment
