#include "agent/report/grpc_reporter.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "agent/report/report_log.h"
#include "agent/report/session.h"
#include "agent/report/settings_reader.h"
#include "common/convert/features.h"
#include "common/convert/out_of_bounds.h"
#include "common/convert/peer_bounds.h"
#include "common/convert/report_convert.h"
#include "common/log/log.h"
#include "common/net/socket_address.h"
#include "common/process/post_to.h"
#include "common/rpc/clamped_durations.h"
#include "common/rpc/deadline.h"
#include "common/rpc/peer.h"
#include "common/rpc/reactors.h"
#include "common/rpc/reconnector.h"
#include "common/rpc/stubs.h"
#include "meshdns/v1/federation.grpc.pb.h"

namespace meshdns::report {
namespace {

constexpr std::uint32_t kProtocol = 1;
constexpr Duration kLongestConnect = 20s;

template <class Field>
void write_sources(const std::vector<SourceState>& sources, Field& out) {
  for (const SourceState& source : sources) {
    v1::Source& entry = *out.Add();
    entry.set_name(source.name);
    entry.set_listed(source.listed);
    entry.set_error(source.error);
  }
}

v1::ProbeResult::Outcome wire_outcome(Reach reach) {
  switch (reach) {
    case Reach::Connected: return v1::ProbeResult::CONNECTED;
    case Reach::Refused: return v1::ProbeResult::REFUSED;
    case Reach::Timeout: return v1::ProbeResult::TIMEOUT;
    case Reach::NoRoute: return v1::ProbeResult::NO_ROUTE;
    case Reach::Skipped: return v1::ProbeResult::SKIPPED;
  }
  return v1::ProbeResult::OUTCOME_UNSPECIFIED;
}

/// Fills in the body of a message; one overload for each kind of message.
struct BodyWriter {
  const ReporterOptions& options;
  const model::Node& node;
  v1::AgentMessage& out;

  void operator()(const Hello& hello) const {
    v1::Hello& body = *out.mutable_hello();
    body.set_protocol(kProtocol);
    *body.mutable_node() = convert::to_wire(node);
    body.set_instance_uid(options.instance_uid);
    body.set_boot_id(options.boot_id);
    body.set_last_epoch(hello.last_epoch);
    body.set_last_acked(hello.last_acked);
    body.set_digest(hello.digest);
    body.add_features(convert::kWithoutService);
    if (options.map_ports) body.add_features(convert::kPortMapping);
  }
  void operator()(const Full& full) const {
    v1::Full& body = *out.mutable_full();
    body.set_part(full.part);
    body.set_last(full.last);
    for (const auto& bytes : full.endpoints) body.add_endpoints(bytes);
    write_sources(full.sources, *body.mutable_sources());
  }
  void operator()(const Delta& delta) const {
    v1::Delta& body = *out.mutable_delta();
    for (const auto& bytes : delta.upserts) body.add_upserts(bytes);
    for (const auto& key : delta.removals) body.add_removals()->set_key(key);
    write_sources(delta.sources, *body.mutable_sources());
  }
  void operator()(const Heartbeat& heartbeat) const {
    out.mutable_heartbeat()->set_digest(heartbeat.digest);
    *out.mutable_heartbeat()->mutable_loop_lag() = convert::to_wire(heartbeat.loop_lag);
  }
  void operator()(const Leave& leave) const { out.mutable_leave()->set_withdraw(leave.withdraw); }
  void operator()(const Measurements& measurements) const {
    for (const Measurement& found : measurements.results) {
      v1::ProbeResult& result = *out.mutable_rtts()->add_results();
      result.set_key(found.key);
      result.set_outcome(wire_outcome(found.reach));
      if (found.rtt > Duration::zero()) *result.mutable_rtt() = convert::to_wire(found.rtt);
    }
  }
};

v1::AgentMessage to_wire(const ReporterOptions& options, const model::Node& node, const Outgoing& message) {
  v1::AgentMessage out;
  out.set_epoch(message.epoch);
  out.set_sequence(message.sequence);
  std::visit(BodyWriter{options, node, out}, message.body);
  return out;
}

Ack read_ack(const v1::Ack& ack) {
  Ack out{ack.sequence(), {}};
  for (const v1::Nack& nack : ack.nacks()) {
    out.refused.push_back({nack.key(), nack.field(), nack.reason(), nack.type() == "Node"});
  }
  return out;
}

/// returns: 0 = the federation does not set the heartbeat
Duration read_heartbeat(const v1::Settings& settings) {
  if (!settings.has_heartbeat()) return Duration::zero();
  return convert::from_wire(settings.heartbeat(), convert::kShortestHeartbeat, convert::kLongestHeartbeat);
}

/// returns: nothing = a kind of message that this version does not know, from a newer federation
std::optional<Incoming> from_wire(const v1::ReportReply& reply) {
  switch (reply.body_case()) {
    case v1::ReportReply::kWelcome: {
      const v1::Welcome& welcome = reply.welcome();
      const bool without_service =
          std::ranges::find(welcome.features(), convert::kWithoutService) != welcome.features().end();
      return Welcome{welcome.epoch(),
                     welcome.instance(),
                     welcome.want_full(),
                     read_heartbeat(welcome.settings()),
                     read_targets(welcome.settings()),
                     without_service,
                     read_mappings(welcome.settings())};
    }
    case v1::ReportReply::kSettings:
      return ReportSettings{read_heartbeat(reply.settings()), read_targets(reply.settings()),
                            read_mappings(reply.settings())};
    case v1::ReportReply::kAck: return read_ack(reply.ack());
    case v1::ReportReply::kSendFull: return SendFull{};
    case v1::ReportReply::kPing: return Ping{};
    case v1::ReportReply::kGoodbye:
      return Goodbye{reply.goodbye().message(),
                     convert::from_wire(reply.goodbye().retry_after(), Duration::zero(), convert::kLongestRetry)};
    default: return std::nullopt;
  }
}

}  // namespace

Codec wire_codec() {
  Codec codec;
  codec.encode = [](const model::Endpoint& endpoint, TimePoint now) {
    return convert::to_wire(endpoint, now).SerializeAsString();
  };
  codec.hash = [](const std::string& key, const std::string& bytes) { return convert::record_hash(key, bytes); };
  return codec;
}

struct GrpcReporter::State : std::enable_shared_from_this<State> {
  State(process::EventLoop& event_loop, const Clock& the_clock, ReporterOptions the_options, Syncer& the_syncer)
      : loop(event_loop),
        clock(the_clock),
        options(std::move(the_options)),
        syncer(the_syncer),
        stubs(options.credentials),
        reconnector(loop, options.servers, options.seed, [this] { open(); }) {}

  process::EventLoop& loop;
  const Clock& clock;
  ReporterOptions options;
  Syncer& syncer;
  ReportLog lines;
  rpc::Stubs<v1::Federation> stubs;
  std::shared_ptr<rpc::Port<v1::AgentMessage>> port;
  std::optional<Session> session;
  bool connected = false;
  bool stopping = false;
  std::function<void()> stopped;
  model::Node node;                             // as this session describes it
  std::shared_ptr<grpc::ClientContext> asking;  // the call of ask_where() that is running; null = none
  bool renewing = false;                        // node_changed() has ended the session: reconnect without delay
  Duration retry_after{};
  rpc::ClampedDurations clamped;
  std::string farewell;  // the reason in the federation's Goodbye; empty = no Goodbye came
  std::string error = "not tried yet";
  rpc::Reconnector reconnector;

  v1::Federation::Stub& stub() { return stubs.at(reconnector.server()); }

  void open() {
    const std::string& server = reconnector.server();
    const auto written = SocketAddress::parse(server);
    if (options.node.need_address && !written && !server.starts_with("unix:")) return ask_where();
    begin(written ? std::optional(written->ip) : std::nullopt);
  }

  /// Makes a call to a server that is given by name, to learn which of its addresses gRPC connects to. The call has no
  /// other purpose: "not implemented" is as good an answer as any. The stream then uses the same connection.
  void ask_where() {
    struct Call {
      grpc::ClientContext context;
      v1::EnrollRequest request;
      v1::EnrollReply reply;
    };
    const auto call = std::make_shared<Call>();
    call->context.set_deadline(rpc::within(kLongestConnect));
    asking = std::shared_ptr<grpc::ClientContext>(call, &call->context);
    const auto done = [weak = weak_from_this(), call, &event_loop = loop](const grpc::Status& status) {
      event_loop.post([weak, call, status] {
        const auto self = weak.lock();
        if (self && self->asking.get() == &call->context) self->found(call->context.peer(), status);
      });
    };
    stub().async()->Enroll(&call->context, &call->request, &call->reply, done);
  }

  void found(const std::string& peer, const grpc::Status& status) {
    asking.reset();
    const auto address = rpc::peer_named(peer);
    const bool reached = status.error_code() != grpc::StatusCode::UNAVAILABLE &&
                         status.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED;
    if (reached && address) return begin(address->ip);
    closed(Error(Code::Unavailable,
                 reached ? "the federation's address cannot be read from " + peer : status.error_message()));
  }

  void stop_asking() {
    if (const auto context = std::exchange(asking, nullptr)) context->TryCancel();
  }

  void open_stream() {
    const auto weak = weak_from_this();
    rpc::StreamEvents<v1::ReportReply> events;
    events.received = [weak](const v1::ReportReply& reply) {
      if (const auto self = weak.lock()) self->received(reply);
    };
    events.written = [weak] {
      if (const auto self = weak.lock()) self->written();
    };
    events.closed = [weak](const Error& why) {
      if (const auto self = weak.lock()) self->closed(why);
    };
    port = rpc::open_stream<v1::ReportReply, v1::AgentMessage>(
        process::post_to(loop), std::move(events),
        [this](grpc::ClientContext* context, auto* stream) { stub().async()->Report(context, stream); });
  }

  /// Opens the stream and starts a session on it.
  /// federation: the address at the other end of the connection; nothing = on this machine
  void begin(const std::optional<IpAddress>& federation) {
    auto about = options.node.about(federation);
    if (!about) return closed(about.error());
    node = std::move(*about);
    open_stream();
    Session::Line line;
    line.send = [this](const Outgoing& message) { port->send(to_wire(options, node, message)); };
    line.abort = [this] { port->abort(); };
    session.emplace(syncer, clock, loop, std::move(line));
    port->read_next();
    session->begin();
  }

  /// Ends the session, so that the next one sends the new description of the node. Without a session, makes the waiting
  /// attempt at once. An attempt that has not begun a session yet will use the new description anyway.
  void node_changed() {
    if (!node_described() && !stopping) reconnector.hurry();
  }
  /// returns: whether a session is ended, which starts again
  bool node_described() {
    if (stopping || !port) return false;
    renewing = true;
    port->abort();
    return true;
  }

  void received(const v1::ReportReply& reply) {
    if (!session) return;
    lines.look(clock.now());
    const auto beyond = convert::out_of_bounds(reply);
    clamped.note(clock.now(), beyond.count, beyond.field, beyond.said);
    if (const auto message = from_wire(reply)) {
      if (std::holds_alternative<Welcome>(*message)) welcomed(std::get<Welcome>(*message));
      if (const auto* goodbye = std::get_if<Goodbye>(&*message)) {
        farewell = goodbye->reason;
        retry_after = goodbye->retry_after;
      }
      if (const auto* ack = std::get_if<Ack>(&*message)) lines.refused(*ack, clock.now());
      session->received(*message);
      lines.withheld(syncer.withheld(), reconnector.server());
      if (const auto* welcome = std::get_if<Welcome>(&*message)) told(welcome->mappings);
      if (const auto* settings = std::get_if<ReportSettings>(&*message)) told(settings->mappings);
    }
    port->read_next();
    finish_stop_if_idle();
  }

  /// Passes on what the federation wants of the agent besides reports.
  void told(const PortMappings& mappings) {
    if (options.measure) options.measure(syncer.targets());
    if (mappings && options.map_ports) options.map_ports(*mappings);
  }

  void welcomed(const Welcome& welcome) {
    connected = true;
    error.clear();
    reconnector.connected();
    log::info("connected", {{"server", reconnector.server()},
                            {"instance", welcome.instance},
                            {"epoch", welcome.epoch},
                            {"full", welcome.want_full}});
  }

  void written() {
    if (!session) return;
    session->written();
    finish_stop_if_idle();
  }

  void closed(const Error& why) {
    session.reset();
    port.reset();
    const bool was_connected = std::exchange(connected, false);
    if (stopping) return end();
    // a Goodbye that came meanwhile counts, with its retry_after
    if (std::exchange(renewing, false) && farewell.empty()) return open();
    error = farewell.empty() ? why.message() : std::exchange(farewell, {});
    const auto failure = reconnector.ended(was_connected, std::exchange(retry_after, Duration::zero()));
    const log::Fields fields = {{"server", failure.server}, {"error", error}, {"retry_in", failure.delay}};
    if (was_connected) {
      log::warn("disconnected", fields);
    } else if (failure.logged) {
      log::warn("not connected", fields);
    }
  }

  void stop(Duration patience, std::function<void()> done) {
    stopping = true;
    stopped = std::move(done);
    reconnector.stop();
    stop_asking();
    if (!port) return end();
    if (session) session->pump();
    loop.after(patience, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self && self->port) self->port->abort();
    });
    finish_stop_if_idle();
  }

  void finish_stop_if_idle() {
    if (stopping && port && session && session->idle() && syncer.settled()) port->close();
  }

  void end() {
    if (auto done = std::exchange(stopped, nullptr)) done();
  }
};

GrpcReporter::GrpcReporter(process::EventLoop& loop, const Clock& clock, ReporterOptions options, Syncer& syncer)
    : state_(std::make_shared<State>(loop, clock, std::move(options), syncer)) {}

GrpcReporter::~GrpcReporter() {
  state_->stop_asking();
  state_->reconnector.stop();
  if (state_->port) state_->port->abort();
  state_->session.reset();
}

void GrpcReporter::start() { state_->reconnector.begin(); }

void GrpcReporter::changed() {
  if (state_->session) state_->session->pump();
}

void GrpcReporter::node_changed() { state_->node_changed(); }

void GrpcReporter::node_described() { state_->node_described(); }

void GrpcReporter::stop(Duration patience, std::function<void()> done) { state_->stop(patience, std::move(done)); }

bool GrpcReporter::connected() const { return state_->connected; }
std::string GrpcReporter::server() const { return state_->reconnector.server(); }
std::string GrpcReporter::last_error() const { return state_->error; }
std::uint64_t GrpcReporter::clamped() const { return state_->clamped.count(); }

}  // namespace meshdns::report
