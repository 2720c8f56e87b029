#include "dnsd/app/capture_session.h"

#include <map>
#include <utility>

#include "common/convert/report_convert.h"
#include "common/log/log.h"
#include "dnsd/wire/name.h"

namespace meshdns::dnsd::app {
namespace {

std::string type_text(wire::Type type) {
  static const std::map<wire::Type, std::string> kNames = {
      {wire::Type::A, "A"},       {wire::Type::NS, "NS"},       {wire::Type::CNAME, "CNAME"}, {wire::Type::SOA, "SOA"},
      {wire::Type::PTR, "PTR"},   {wire::Type::HINFO, "HINFO"}, {wire::Type::MX, "MX"},       {wire::Type::TXT, "TXT"},
      {wire::Type::AAAA, "AAAA"}, {wire::Type::SRV, "SRV"},     {wire::Type{64}, "SVCB"},     {wire::Type{65}, "HTTPS"},
      {wire::Type::IXFR, "IXFR"}, {wire::Type::AXFR, "AXFR"},   {wire::Type::ANY, "ANY"},     {wire::Type::CAA, "CAA"},
      {wire::Type{43}, "DS"},     {wire::Type{48}, "DNSKEY"}};
  const auto found = kNames.find(type);
  return found == kNames.end() ? "TYPE" + std::to_string(static_cast<unsigned>(type)) : found->second;  // RFC 3597 5
}

Result<server::Capture::Filter> filter_of(const v1::CaptureRequest& request) {
  server::Capture::Filter out;
  if (!request.host().empty()) {
    auto name = wire::parse_name(request.host());
    if (!name) return Error(Code::InvalidArgument, request.host() + ": no host name");
    out.host = std::move(*name);
  }
  if (!request.client().empty()) {
    const auto prefix = Prefix::parse(request.client());
    if (!prefix) return prefix.error();
    out.client = *prefix;
  }
  return out;
}

}  // namespace

std::string rcode_text(std::uint8_t rcode) {
  static const std::map<unsigned, std::string> kNames = {{0, "NOERROR"},  {1, "FORMERR"},  {2, "SERVFAIL"},
                                                         {3, "NXDOMAIN"}, {4, "NOTIMP"},   {5, "REFUSED"},
                                                         {9, "NOTAUTH"},  {16, "BADVERS"}, {23, "BADCOOKIE"}};
  const auto found = kNames.find(rcode);
  return found == kNames.end() ? std::to_string(rcode) : found->second;
}

CaptureSession::~CaptureSession() {
  for (const auto& timer : {gathering_, patience_}) {
    if (timer) timers_.cancel(*timer);
  }
}

Result<void> CaptureSession::begin(const v1::CaptureRequest& request, const std::string& by,
                                   const server::DnsServer& server) {
  const auto filter = filter_of(request);
  if (!filter) return filter.error();
  server.capture().start(*filter);
  server_ = &server;
  id_ = request.id();
  begun_ = clock_.now();
  begun_unix_ = clock_.unix_seconds();
  log::info("capture begins", {{"by", by}, {"host", request.host()}, {"client", request.client()}});
  return {};
}

void CaptureSession::look(const v1::CaptureRequest& request, const std::string& by, const server::DnsServer* server,
                          Done done) {
  if (server == nullptr) return done(Error(Code::FailedPrecondition, "DNS is not served yet"));
  const bool other = server_ != nullptr && (request.id() != id_ || gathering_);
  if (other) return done(Error(Code::FailedPrecondition, "another capture is under way"));
  if (server_ == nullptr) {
    if (request.stop()) return done(Error(Code::FailedPrecondition, "no capture is under way"));
    if (auto begun = begin(request, by, *server); !begun) return done(begun.error());
  }
  if (patience_) timers_.cancel(*std::exchange(patience_, std::nullopt));
  if (request.stop()) {  // with the queries since the last call, so that none is lost at the end
    done(reply());
    return end();
  }
  gathering_ = timers_.after(kLook, [this, done = std::move(done)] {
    gathering_.reset();
    patience_ = timers_.after(kPatience, [this] {
      patience_.reset();
      end();
    });
    done(reply());
  });
}

v1::CaptureReply CaptureSession::reply() {
  v1::CaptureReply out;
  out.set_begun(begun_unix_);
  *out.mutable_elapsed() = convert::to_wire(clock_.now() - begun_);
  const server::Capture::Taken taken = server_->capture().take();
  out.set_missed(taken.missed);
  for (const server::CapturedQuery& query : taken.queries) {
    v1::CapturedQuery& entry = *out.add_queries();
    *entry.mutable_at() = convert::to_wire(std::max(Duration::zero(), query.at - begun_));
    entry.set_client(query.client.text());
    entry.set_transport(query.stream ? "tcp" : "udp");
    entry.set_type(type_text(query.type));
    entry.set_name(wire::name_text(query.name_view()));
    entry.set_rcode(rcode_text(query.rcode));
    entry.set_answers(query.answers);
    if (query.tier) entry.set_tier(*query.tier);
    entry.set_truncated(query.truncated);
    entry.set_listener(server_->bound()[query.listener].text());
  }
  return out;
}

void CaptureSession::end() {
  server_->capture().stop();
  server_ = nullptr;
  log::info("capture ended");
}

}  // namespace meshdns::dnsd::app
