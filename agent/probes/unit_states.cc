#include "agent/probes/unit_states.h"

#include <poll.h>
#include <systemd/sd-bus.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <map>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/process/asio_loop.h"

namespace meshdns::probes {
namespace {

using boost::asio::posix::descriptor_base;

constexpr const char* kManager = "org.freedesktop.systemd1";
constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManagerInterface = "org.freedesktop.systemd1.Manager";
constexpr const char* kUnitInterface = "org.freedesktop.systemd1.Unit";
constexpr const char* kProperties = "org.freedesktop.DBus.Properties";
constexpr const char* kOwnerChanged =
    "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
    "member='NameOwnerChanged',arg0='org.freedesktop.systemd1'";
constexpr const char* kNoManager = "systemd is not on the bus";
constexpr int kMessagesInARow = 64;  // then the loop does something else first

std::string error_text(int number) {
  return ascii_lower(std::generic_category().message(number < 0 ? -number : number));
}

/// Returns why a call failed, as the other side says it.
std::string error_text(sd_bus_message* reply) {
  const sd_bus_error* error = sd_bus_message_get_error(reply);
  if (error == nullptr) return "no error";
  return printable(error->message != nullptr && *error->message != '\0' ? error->message : error->name);
}

/// Reads the properties of a unit that are in a dictionary of type a{sv}; the others stay as they are.
/// returns: whether the message has that form
bool read_properties(sd_bus_message* message, UnitState& out) {
  const std::map<std::string_view, std::string*> wanted = {
      {"LoadState", &out.load}, {"ActiveState", &out.active}, {"SubState", &out.sub}};
  if (sd_bus_message_enter_container(message, 'a', "{sv}") < 0) return false;
  while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
    const char* name = nullptr;
    if (sd_bus_message_read(message, "s", &name) < 0) return false;
    const auto found = wanted.find(name);
    const char* value = nullptr;
    if (found == wanted.end()) {
      if (sd_bus_message_skip(message, "v") < 0) return false;
    } else if (sd_bus_message_read(message, "v", "s", &value) < 0) {
      return false;
    } else {
      *found->second = printable(value);
    }
    if (sd_bus_message_exit_container(message) < 0) return false;
  }
  return sd_bus_message_exit_container(message) >= 0;
}

/// A reference to a match or a call that waits; nothing is called any more once it is destroyed.
class Slot {
 public:
  Slot() = default;
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() { sd_bus_slot_unref(slot_); }
  /// Returns where to put a new reference. Drops the one before.
  sd_bus_slot** fresh() {
    slot_ = sd_bus_slot_unref(slot_);
    return &slot_;
  }

 private:
  sd_bus_slot* slot_ = nullptr;
};

}  // namespace

struct UnitStates::State : std::enable_shared_from_this<State> {
  struct Unit {
    Unit(State& o, std::string n) : owner(o), name(std::move(n)) {}
    State& owner;
    std::string name;
    KnownUnit known;
    std::map<FollowerId, std::function<void()>> followers;
    Slot load;
    Slot match;
    Slot get;
  };

  State(process::EventLoop& l, Options o)
      : loop(l), options(std::move(o)), stream(process::io_context_of(l)), pause(options.first_pause) {}
  ~State() { close(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // ---- the connection

  void open() {
    if (bus != nullptr || retry) return;
    problem.clear();
    if (const int failed = start(); failed < 0) return lose("no system bus: " + error_text(failed));
    patience = loop.after(options.patience, [this] {
      patience.reset();
      lose("the system bus does not answer");
    });
    subscribe();
    for (auto& [name, unit] : units) ask(*unit);
    wait();
  }

  int start() {
    if (options.address.empty()) {
      if (const int failed = sd_bus_open_system(&bus); failed < 0) return failed;
    } else {
      if (const int failed = sd_bus_new(&bus); failed < 0) return failed;
      for (const int done :
           {sd_bus_set_address(bus, options.address.c_str()), sd_bus_set_bus_client(bus, 1), sd_bus_start(bus)}) {
        if (done < 0) return done;
      }
    }
    const int descriptor = sd_bus_get_fd(bus);
    if (descriptor < 0) return descriptor;
    boost::system::error_code error;
    stream.assign(descriptor, error);
    return -error.value();
  }

  /// Ends the connection without a word to anybody.
  void close() {
    if (patience) loop.cancel(*patience);
    if (retry) loop.cancel(*retry);
    patience.reset();
    retry.reset();
    for (auto& [name, unit] : units) {
      for (Slot* slot : {&unit->load, &unit->match, &unit->get}) slot->fresh();
    }
    for (Slot* slot : {&owner_changed, &subscribed}) slot->fresh();
    if (stream.is_open()) stream.release();  // the descriptor is the bus's
    bus = sd_bus_close_unref(bus);
    ++connection;
  }

  /// Ends the connection, makes all states unknown, and tries again later.
  void lose(std::string why) {
    close();
    problem = std::move(why);
    for (auto& [name, unit] : units) set(*unit, {std::nullopt, problem});
    retry = loop.after(pause, [this] {
      retry.reset();
      open();
    });
    pause = std::min(2 * pause, options.longest_pause);
  }

  /// Waits until the bus can be read, or written if it has something to write.
  void wait() {
    const int events = sd_bus_get_events(bus);
    if (events < 0) return lose("the system bus is gone: " + error_text(events));
    if ((events & POLLIN) != 0) wait_for(descriptor_base::wait_read, reading);
    if ((events & POLLOUT) != 0) wait_for(descriptor_base::wait_write, writing);
  }

  void wait_for(descriptor_base::wait_type what, std::uint64_t& waits) {
    if (std::exchange(waits, connection) == connection) return;
    stream.async_wait(what, [weak = weak_from_this(), this, &waits, at = connection](const auto& error) {
      const auto self = weak.lock();
      if (!self || at != connection) return;
      waits = 0;
      if (!error) process();
    });
  }

  void process() {
    const auto at = connection;
    for (int i = 0; i < kMessagesInARow; ++i) {
      const int done = sd_bus_process(bus, nullptr);
      if (at != connection) return;
      if (done < 0) return lose("the system bus is gone: " + error_text(done));
      if (done == 0) return wait();
    }
    // the descriptor may be empty already while the bus has read more messages from it
    loop.post([weak = weak_from_this(), this, at] {
      const auto self = weak.lock();
      if (self && at == connection) process();
    });
  }

  // ---- the manager

  void subscribe() {
    sd_bus_add_match_async(bus, owner_changed.fresh(), kOwnerChanged, on_owner_changed, nullptr, this);
    sd_bus_call_method_async(bus, subscribed.fresh(), kManager, kManagerPath, kManagerInterface, "Subscribe",
                             on_subscribed, this, "");
  }

  static int on_subscribed(sd_bus_message* reply, void* data, sd_bus_error*) {
    auto& self = *static_cast<State*>(data);
    if (self.patience) self.loop.cancel(*self.patience);
    self.patience.reset();
    if (sd_bus_message_is_method_error(reply, nullptr) > 0 &&
        sd_bus_message_is_method_error(reply, "org.freedesktop.systemd1.AlreadySubscribed") <= 0) {
      self.lose_soon(std::string(kNoManager) + ": " + error_text(reply));
      return 0;
    }
    self.pause = self.options.first_pause;
    return 0;
  }

  /// The manager has left the bus, has come, or has begun anew (systemctl daemon-reexec).
  static int on_owner_changed(sd_bus_message* message, void* data, sd_bus_error*) {
    auto& self = *static_cast<State*>(data);
    const char *name = nullptr, *before = nullptr, *now = nullptr;
    if (sd_bus_message_read(message, "sss", &name, &before, &now) < 0) return 0;
    if (*now == '\0') {
      self.lose_soon(kNoManager);
      return 0;
    }
    sd_bus_call_method_async(self.bus, self.subscribed.fresh(), kManager, kManagerPath, kManagerInterface, "Subscribe",
                             on_subscribed, &self, "");
    for (auto& [unit_name, unit] : self.units) self.ask(*unit);
    return 0;
  }

  /// From the loop, because the bus is in the middle of a message and must not be closed there.
  void lose_soon(std::string why) {
    loop.post([weak = weak_from_this(), this, at = connection, why = std::move(why)] {
      const auto self = weak.lock();
      if (self && at == connection) lose(why);
    });
  }

  // ---- units

  void ask(Unit& unit) {
    sd_bus_call_method_async(bus, unit.load.fresh(), kManager, kManagerPath, kManagerInterface, "LoadUnit", on_loaded,
                             &unit, "s", unit.name.c_str());
  }

  static int on_loaded(sd_bus_message* reply, void* data, sd_bus_error*) {
    auto& unit = *static_cast<Unit*>(data);
    const char* path = nullptr;
    if (sd_bus_message_is_method_error(reply, nullptr) > 0 || sd_bus_message_read(reply, "o", &path) < 0) {
      unit.owner.set(unit, {std::nullopt, "systemd does not know " + unit.name + ": " + error_text(reply)});
      return 0;
    }
    sd_bus* bus = unit.owner.bus;
    sd_bus_match_signal_async(bus, unit.match.fresh(), kManager, path, kProperties, "PropertiesChanged", on_changed,
                              nullptr, &unit);
    sd_bus_call_method_async(bus, unit.get.fresh(), kManager, path, kProperties, "GetAll", on_properties, &unit, "s",
                             kUnitInterface);
    return 0;
  }

  static int on_properties(sd_bus_message* reply, void* data, sd_bus_error*) {
    auto& unit = *static_cast<Unit*>(data);
    UnitState state;
    if (sd_bus_message_is_method_error(reply, nullptr) > 0 || !read_properties(reply, state)) {
      unit.owner.set(unit, {std::nullopt, "systemd does not describe " + unit.name + ": " + error_text(reply)});
      return 0;
    }
    unit.owner.set(unit, {state, ""});
    return 0;
  }

  static int on_changed(sd_bus_message* message, void* data, sd_bus_error*) {
    auto& unit = *static_cast<Unit*>(data);
    const char* interface = nullptr;
    if (sd_bus_message_read(message, "s", &interface) < 0 || std::string_view(interface) != kUnitInterface) return 0;
    if (!unit.known.state) return 0;  // the answer to GetAll is on its way
    UnitState state = *unit.known.state;
    if (read_properties(message, state)) unit.owner.set(unit, {state, ""});
    return 0;
  }

  /// Followers hear of it from the loop, so that they may do whatever they want.
  void set(Unit& unit, KnownUnit known) {
    if (unit.known == known) return;
    unit.known = std::move(known);
    changed.insert(unit.name);
    if (changed.size() > 1) return;
    loop.post([weak = weak_from_this(), this] {
      if (const auto self = weak.lock()) tell();
    });
  }

  void tell() {
    for (const std::string& name : std::exchange(changed, {})) {
      std::vector<FollowerId> ids;
      if (const auto found = units.find(name); found != units.end()) {
        for (const auto& [id, follower] : found->second->followers) ids.push_back(id);
      }
      for (const FollowerId id : ids) {
        const auto found = units.find(name);
        if (found == units.end() || !found->second->followers.contains(id)) continue;
        const auto call = found->second->followers.at(id);  // a copy: the call may end its own entry
        call();
      }
    }
  }

  process::EventLoop& loop;
  Options options;
  boost::asio::posix::stream_descriptor stream;
  Duration pause;
  sd_bus* bus = nullptr;
  std::uint64_t connection = 1;  // grows with each end of a connection
  std::uint64_t reading = 0;     // the connection whose readability is waited for
  std::uint64_t writing = 0;
  std::optional<TimerId> patience;
  std::optional<TimerId> retry;
  Slot owner_changed;
  Slot subscribed;
  std::map<std::string, std::unique_ptr<Unit>> units;
  std::set<std::string> changed;  // units whose followers are to be told
  std::string problem;
  FollowerId next_id = 1;
};

UnitStates::UnitStates(process::EventLoop& loop, Options options)
    : state_(std::make_shared<State>(loop, std::move(options))) {}

UnitStates::~UnitStates() { state_->close(); }

UnitStates::FollowerId UnitStates::follow(const std::string& unit, std::function<void()> changed) {
  auto& entry = state_->units[unit];
  const bool is_new = entry == nullptr;
  if (is_new) entry = std::make_unique<State::Unit>(*state_, unit);
  const FollowerId id = state_->next_id++;
  entry->followers.emplace(id, std::move(changed));
  if (!is_new) return id;
  if (state_->bus == nullptr) {
    entry->known.problem = state_->problem;
    state_->open();
  } else {
    state_->ask(*entry);
    state_->wait();
  }
  return id;
}

void UnitStates::unfollow(FollowerId id) {
  const auto found = std::find_if(state_->units.begin(), state_->units.end(),
                                  [id](const auto& entry) { return entry.second->followers.contains(id); });
  if (found == state_->units.end()) return;
  found->second->followers.erase(id);
  if (found->second->followers.empty()) state_->units.erase(found);
  if (!state_->units.empty()) return;
  state_->close();
  state_->problem.clear();
}

const KnownUnit& UnitStates::known(const std::string& unit) const { return state_->units.at(unit)->known; }

std::size_t UnitStates::units() const { return state_->units.size(); }

const std::string& UnitStates::problem() const { return state_->problem; }

}  // namespace meshdns::probes
