#include "agent/probes/http_probe.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "agent/probes/connection.h"
#include "agent/probes/failed_probe.h"
#include "common/base/printable.h"
#include "common/http/request_text.h"

namespace meshdns::probes {
namespace {

using http::AnswerReader;

/// Returns the host of "HOST[:PORT]"; empty = it is an address.
std::string name_in(const std::string& host) {
  const auto name = host.substr(0, host.find(':'));
  return host.starts_with('[') || IpAddress::parse(name) ? "" : name;
}

/// Gives the TLS of a check the name that its Host header has, if it has none of its own.
HttpCheck with_server_name(HttpCheck check) {
  if (check.tls && check.tls->server_name.empty()) check.tls->server_name = name_in(check.host);
  return check;
}

std::string request_of(const HttpCheck& check, const SocketAddress& where, bool keeps) {
  return http::request_text({.method = check.method,
                             .path = check.path,
                             .host = check.host.empty() ? where.text() : check.host,
                             .headers = check.headers,
                             .keeps_connection = keeps});
}

}  // namespace

HttpProbe::HttpProbe(process::EventLoop& loop, const SocketAddress& where, HttpCheck check, TlsClient* tls)
    : loop_(loop),
      where_(where),
      check_(with_server_name(std::move(check))),
      tls_(tls),
      keeps_(http::is_idempotent(check_.method)),
      request_(request_of(check_, where, keeps_)) {
  if (!check_.regex.empty()) pattern_ = Pattern::compile(check_.regex).value();
}

HttpProbe::~HttpProbe() {
  stop();
  reconnect();
}

void HttpProbe::run(Duration timeout, Done done) {
  stop();
  done_ = std::move(done);
  timeout_ = timeout;
  timer_ = loop_.after(timeout, [this] { fail(connect_error(ETIMEDOUT)); });
  if (!is_idle() || uses_ >= kMostUses) return connect();
  ++uses_;
  send();
}

void HttpProbe::reconnect() {
  if (done_ || connection_ == nullptr) return;
  if (is_idle()) connection_->finish();
  connection_.reset();
}

/// Whether there is a connection that can take another request.
bool HttpProbe::is_idle() const { return connection_ != nullptr && reader_ && reader_->leaves_connection_open(); }

void HttpProbe::connect() {
  if (is_idle()) connection_->finish();
  connection_ = std::make_unique<Connection>(loop_, where_, check_.tls, tls_);
  uses_ = 1;
  note_.clear();
  connection_->open([this](const std::optional<Error>& error) {
    if (error) return fail(*error);
    note_ = connection_->certificate_note();
    connection_->read([this](const Result<std::string_view>& bytes) { on_bytes(bytes); });
    send();
  });
}

void HttpProbe::send() {
  reader_.emplace(check_.method == "HEAD");
  connection_->write(request_, [this](const std::optional<Error>& error) {
    // On a new connection, reading says more: the server may have answered or sent an alert before it closed.
    if (error && uses_ > 1) on_end(error);
  });
}

void HttpProbe::on_bytes(const Result<std::string_view>& bytes) {
  if (!bytes) return on_end(bytes.error());
  if (bytes->empty()) return on_end(std::nullopt);
  reader_->take(*bytes);
  judge();
}

/// The peer has closed the connection, or broken it.
void HttpProbe::on_end(const std::optional<Error>& error) {
  if (!done_) return connection_.reset();
  if (uses_ > 1 && !reader_->has_begun()) return connect();  // it was closed before it had the request
  if (error) return fail(*error);
  reader_->end();
  judge();
}

/// Ends the check if what has come of the answer is enough, and keeps or closes the connection.
void HttpProbe::judge() {
  const bool judges_body = !check_.contains.empty() || pattern_;
  const auto has = [&](const StatusRange& range) {
    return reader_->head().status >= range.lowest && reader_->head().status <= range.highest;
  };
  settle();
  if (!done_) return;
  if (!reader_->has_head()) {
    if (reader_->state() == AnswerReader::State::Wrong) fail({Code::DataLoss, reader_->problem()});
    return;
  }
  if (std::ranges::none_of(check_.status, has)) {
    return finish({health::Outcome::Failure, "http " + std::to_string(reader_->head().status)});
  }
  if (!judges_body) return finish({.outcome = health::Outcome::Success});
  if (reader_->state() == AnswerReader::State::Wrong) return fail({Code::DataLoss, reader_->problem()});
  if (reader_->state() == AnswerReader::State::Body && !reader_->is_cut()) return;
  const auto wrong = complaint();
  finish({.outcome = wrong ? health::Outcome::Failure : health::Outcome::Success, .detail = wrong.value_or("")});
}

/// Returns what is wrong with the body.
std::optional<std::string> HttpProbe::complaint() const {
  const std::string status = "http " + std::to_string(reader_->head().status);
  const std::string where = reader_->is_cut() ? " in the first 64 KiB" : "";
  if (reader_->body().find(check_.contains) == std::string::npos) {
    return status + " without \"" + printable(check_.contains) + "\" in the body" + where;
  }
  if (pattern_ && !pattern_->is_in(reader_->body())) {
    return status + " with a body that does not match " + printable(check_.regex) + where;
  }
  return std::nullopt;
}

/// Closes the connection after an answer unless it can take another request. Does nothing before the answer's end.
void HttpProbe::settle() {
  const bool is_open = reader_->state() == AnswerReader::State::Head || reader_->state() == AnswerReader::State::Body;
  if (is_open && !reader_->is_cut()) return;
  if (!keeps_ || !reader_->leaves_connection_open()) connection_.reset();
}

void HttpProbe::fail(const Error& error) {
  connection_.reset();
  finish(failed_probe(error, timeout_, has_route(where_)));
}

/// Ends the check with a result. `done` may destroy this probe.
void HttpProbe::finish(health::ProbeResult result) {
  if (!note_.empty()) result.detail += (result.detail.empty() ? "" : "; ") + note_;
  loop_.cancel(timer_);
  std::exchange(done_, nullptr)(std::move(result));
}

/// Ends the running check, if there is one, without a result.
void HttpProbe::stop() {
  if (!done_) return;
  loop_.cancel(timer_);
  done_ = nullptr;
  connection_.reset();
}

}  // namespace meshdns::probes
