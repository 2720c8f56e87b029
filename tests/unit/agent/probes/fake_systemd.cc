#include "tests/unit/agent/probes/fake_systemd.h"

#include <spawn.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "common/base/check.h"

namespace meshdns::probes {
namespace {

constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kUnits = "/org/freedesktop/systemd1/unit";
constexpr const char* kUnitInterface = "org.freedesktop.systemd1.Unit";

std::string object_path(const std::string& unit) {
  char* path = nullptr;
  MESHDNS_CHECK(sd_bus_path_encode(kUnits, unit.c_str(), &path) >= 0);
  const std::string out = path;
  std::free(path);
  return out;
}

std::string unit_of(const char* path) {
  char* name = nullptr;
  if (sd_bus_path_decode(path, kUnits, &name) <= 0) return {};
  const std::string out = name;
  std::free(name);
  return out;
}

}  // namespace

PrivateBus::PrivateBus(std::string folder) : folder_(std::move(folder)) { start(); }

void PrivateBus::start() {
  std::ofstream(folder_ + "/bus.conf")
      << "<busconfig><type>session</type><auth>EXTERNAL</auth><listen>" << address()
      << "</listen><policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>"
      << "<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>\n";
  std::string file = "--config-file=" + folder_ + "/bus.conf";
  std::string name = "dbus-daemon", stays = "--nofork";
  char* arguments[] = {name.data(), stays.data(), file.data(), nullptr};
  MESHDNS_CHECK(::posix_spawnp(&pid_, name.c_str(), nullptr, nullptr, arguments, environ) == 0);
  for (int i = 0; i < 6000 && !std::filesystem::exists(folder_ + "/bus"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void PrivateBus::stop() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
  std::filesystem::remove(folder_ + "/bus");
}

struct FakeSystemd::State {
  struct Unit {
    std::string load = "not-found";
    std::string active = "inactive";
    std::string sub = "dead";
  };

  Unit unit(const std::string& name) {
    const std::lock_guard lock(mutex);
    return units[name];
  }

  static int subscribe(sd_bus_message* call, void* data, sd_bus_error*) {
    auto& self = *static_cast<State*>(data);
    if (self.hangs) return 1;
    self.subscribed = true;
    return sd_bus_reply_method_return(call, "");
  }

  static int load_unit(sd_bus_message* call, void* data, sd_bus_error* error) {
    auto& self = *static_cast<State*>(data);
    if (self.hangs) return 1;
    ++self.calls;
    const char* name = nullptr;
    if (const int failed = sd_bus_message_read(call, "s", &name); failed < 0) return failed;
    if (std::string_view(name).find('.') == std::string_view::npos) {
      return sd_bus_error_set(error, "org.freedesktop.DBus.Error.InvalidArgs", "Unit name is not valid.");
    }
    // a unit may have a second name
    const std::string unit = std::string_view(name) == "alias.service" ? "web.service" : name;
    return sd_bus_reply_method_return(call, "o", object_path(unit).c_str());
  }

  static int get_all(sd_bus_message* call, void* data, sd_bus_error*) {
    auto& self = *static_cast<State*>(data);
    if (self.hangs) return 1;
    ++self.calls;
    const Unit unit = self.unit(unit_of(sd_bus_message_get_path(call)));
    return sd_bus_reply_method_return(call, "a{sv}", 4, "Id", "s", "of no interest", "LoadState", "s",
                                      unit.load.c_str(), "ActiveState", "s", unit.active.c_str(), "SubState", "s",
                                      unit.sub.c_str());
  }

  /// Answers the calls to all objects.
  static int on_call(sd_bus_message* call, void* data, sd_bus_error* error) {
    if (sd_bus_message_is_method_call(call, nullptr, "Subscribe") > 0) return subscribe(call, data, error);
    if (sd_bus_message_is_method_call(call, nullptr, "LoadUnit") > 0) return load_unit(call, data, error);
    if (sd_bus_message_is_method_call(call, nullptr, "GetAll") > 0) return get_all(call, data, error);
    return 0;
  }

  void emit() {
    std::map<std::string, Unit> news;
    {
      const std::lock_guard lock(mutex);
      for (const std::string& name : std::exchange(changed, {})) news[name] = units[name];
    }
    if (!subscribed) return;
    for (const auto& [name, unit] : news) {
      sd_bus_emit_signal(bus, object_path(name).c_str(), "org.freedesktop.DBus.Properties", "PropertiesChanged",
                         "sa{sv}as", "org.freedesktop.systemd1.Service", 0, 0);
      sd_bus_emit_signal(bus, object_path(name).c_str(), "org.freedesktop.DBus.Properties", "PropertiesChanged",
                         "sa{sv}as", kUnitInterface, 3, "ActiveState", "s", unit.active.c_str(), "SubState", "s",
                         unit.sub.c_str(), "StateChangeTimestamp", "t", static_cast<std::uint64_t>(7), 1, "Job");
    }
  }

  void run() {
    while (!stops) {
      emit();
      if (sd_bus_process(bus, nullptr) > 0) continue;
      sd_bus_wait(bus, 2000);  // microseconds
    }
    sd_bus_flush_close_unref(bus);
  }

  sd_bus* bus = nullptr;
  std::mutex mutex;
  std::map<std::string, Unit> units;
  std::vector<std::string> changed;
  std::atomic<bool> subscribed = false;
  std::atomic<bool> hangs = false;
  std::atomic<bool> stops = false;
  std::atomic<unsigned> calls = 0;
  std::thread thread;
};

FakeSystemd::FakeSystemd(const std::string& address) : state_(std::make_unique<State>()) {
  MESHDNS_CHECK(sd_bus_new(&state_->bus) >= 0);
  MESHDNS_CHECK(sd_bus_set_address(state_->bus, address.c_str()) >= 0);
  MESHDNS_CHECK(sd_bus_set_bus_client(state_->bus, 1) >= 0);
  MESHDNS_CHECK(sd_bus_start(state_->bus) >= 0);
  MESHDNS_CHECK(sd_bus_add_fallback(state_->bus, nullptr, kManagerPath, State::on_call, state_.get()) >= 0);
  MESHDNS_CHECK(sd_bus_request_name(state_->bus, "org.freedesktop.systemd1", 0) >= 0);
  state_->thread = std::thread([this] { state_->run(); });
}

FakeSystemd::~FakeSystemd() {
  state_->stops = true;
  state_->thread.join();
}

void FakeSystemd::set(const std::string& unit, const std::string& active, const std::string& sub) {
  const std::lock_guard lock(state_->mutex);
  state_->units[unit] = {"loaded", active, sub};
  state_->changed.push_back(unit);
}

void FakeSystemd::hang() { state_->hangs = true; }

unsigned FakeSystemd::calls() const { return state_->calls; }

}  // namespace meshdns::probes
