#include "dnsd/ctl/commands.h"

#include <iostream>
#include <iterator>
#include <map>
#include <utility>

#include "common/base/random_seed.h"
#include "common/base/text.h"
#include "common/config/load.h"
#include "common/config/object_text.h"
#include "common/convert/object_convert.h"
#include "common/convert/report_convert.h"
#include "dnsd/ctl/diff.h"
#include "dnsd/ctl/explain_view.h"
#include "dnsd/ctl/views.h"

namespace meshdns::ctl {
namespace {

std::string errors_text(std::size_t count) { return std::to_string(count) + (count == 1 ? " error" : " errors"); }

v1::ApplyRequest apply_request(const std::vector<v1::Object>& objects) {
  v1::ApplyRequest request;
  request.set_manager("cli");
  for (const v1::Object& object : objects) *request.add_objects() = object;
  return request;
}

std::string outcome_text(const v1::ApplyResult& result) {
  switch (result.outcome()) {
    case v1::ApplyResult::CREATED: return "created";
    case v1::ApplyResult::CONFIGURED: return "configured";
    case v1::ApplyResult::UNCHANGED: return "unchanged";
    default: return "refused";
  }
}

/// What was refused; 0 = nothing was
std::size_t print_refused(const v1::ApplyReply& reply) {
  std::size_t refused = 0;
  for (const v1::ApplyResult& result : reply.results()) {
    if (result.outcome() != v1::ApplyResult::REFUSED) continue;
    std::cerr << result.key() << ": " << result.error() << "\n";
    ++refused;
  }
  if (refused > 0) std::cerr << errors_text(refused) << ", nothing applied\n";
  return refused;
}

/// As the operator would write it: without what the federation adds.
std::string written_text(v1::Object object) {
  object.clear_status();
  v1::Metadata metadata;
  metadata.set_name(object.metadata().name());
  metadata.set_namespace_(object.metadata().namespace_());
  *object.mutable_metadata() = metadata;
  return config::object_yaml(object);
}

Result<std::vector<std::string>> keys_of(const std::vector<std::string>& names, const std::string& file) {
  std::vector<std::string> keys;
  if (!file.empty()) {
    const auto objects = read_objects(file, "nothing applied");
    if (!objects) return Error(Code::InvalidArgument, "nothing deleted");
    for (const v1::Object& object : *objects) keys.push_back(convert::object_key(object));
    return keys;
  }
  if (names.size() != 2) return Error(Code::InvalidArgument, "say what to delete: KIND NAME, or -f FILE");
  const auto kind = kind_named(names[0]);
  if (!kind || *kind == "Node" || *kind == "Endpoint") {
    return Error(Code::InvalidArgument, names[0] + " cannot be deleted; vd, cluster and override can");
  }
  keys.push_back(*kind + "/" + names[1]);
  return keys;
}

}  // namespace

int fail(const Error& error) {
  std::cerr << error.message() << "\n";
  return error.code() == Code::InvalidArgument ? kWrongUsage : kFailed;
}

std::optional<std::vector<v1::Object>> read_objects(const std::string& file, const char* outcome) {
  std::string text;
  if (file == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    auto read = config::read_file(file);
    if (!read) {
      std::cerr << read.error().message() << "\n";
      return std::nullopt;
    }
    text = std::move(*read);
  }
  const std::string name = file == "-" ? "standard input" : file;
  auto objects = config::load_objects(text, name);
  if (objects && !objects->empty()) return std::move(*objects);
  if (objects) {
    std::cerr << name << ": there is no object in it\n";
    return std::nullopt;
  }
  std::cerr << config::problems_text(objects.error()) << errors_text(objects.error().size()) << ", " << outcome << "\n";
  return std::nullopt;
}

std::optional<std::string> kind_named(const std::string& word) {
  static const std::map<std::string, std::string> kKinds = {{"vd", "VirtualDestination"},
                                                            {"vds", "VirtualDestination"},
                                                            {"virtualdestination", "VirtualDestination"},
                                                            {"virtualdestinations", "VirtualDestination"},
                                                            {"node", "Node"},
                                                            {"nodes", "Node"},
                                                            {"endpoint", "Endpoint"},
                                                            {"endpoints", "Endpoint"},
                                                            {"cluster", "Cluster"},
                                                            {"clusters", "Cluster"},
                                                            {"override", "Override"},
                                                            {"overrides", "Override"}};
  const auto found = kKinds.find(ascii_lower(word));
  if (found == kKinds.end()) return std::nullopt;
  return found->second;
}

int apply(Client& client, const std::string& file, bool dry_run, bool force) {
  const auto objects = read_objects(file, "nothing applied");
  if (!objects) return kWrongUsage;
  v1::ApplyRequest request = apply_request(*objects);
  request.set_dry_run(dry_run);
  request.set_force(force);
  const auto reply = client.apply(request);
  if (!reply) return fail(reply.error());
  if (print_refused(*reply) > 0) return kWrongUsage;
  for (const v1::ApplyResult& result : reply->results()) {
    std::cout << result.key() << " " << outcome_text(result) << (dry_run ? " (dry run)" : "") << "\n";
  }
  return kOk;
}

int diff(Client& client, const std::string& file) {
  const auto objects = read_objects(file, "nothing applied");
  if (!objects) return kWrongUsage;
  v1::ApplyRequest request = apply_request(*objects);
  request.set_dry_run(true);
  request.set_force(true);
  const auto reply = client.apply(request);
  if (!reply) return fail(reply.error());
  if (print_refused(*reply) > 0) return kWrongUsage;
  int exit = kOk;
  for (int i = 0; i < reply->results_size(); ++i) {
    const v1::ApplyResult& result = reply->results(i);
    std::cout << result.key() << " " << outcome_text(result) << "\n";
    if (result.outcome() == v1::ApplyResult::UNCHANGED) continue;
    std::cout << line_diff(result.has_before() ? written_text(result.before()) : "", written_text(request.objects(i)));
    exit = kFailed;
  }
  return exit;
}

int erase(Client& client, const std::vector<std::string>& names, const std::string& file) {
  const auto keys = keys_of(names, file);
  if (!keys) return fail(keys.error());
  v1::DeleteRequest request;
  for (const std::string& key : *keys) request.add_keys(key);
  const auto reply = client.erase(request);
  if (!reply) return fail(reply.error());
  for (const std::string& key : reply->missing()) std::cerr << key << " not found\n";
  if (!reply->missing().empty()) {
    std::cerr << "nothing deleted\n";
    return kFailed;
  }
  for (const std::string& key : reply->deleted()) std::cout << key << " deleted\n";
  return kOk;
}

int explain(Client& client, const v1::ExplainRequest& request, Output output) {
  const auto reply = client.explain(request);
  if (!reply) return fail(reply.error());
  std::cout << (output == Output::Table ? explain_view(*reply) : document(*reply, output));
  return kOk;
}

int status(Client& client, Output output) {
  const auto reply = client.status();
  if (!reply) return fail(reply.error());
  std::cout << (output == Output::Table ? status_view(*reply) : document(*reply, output));
  return kOk;
}

int approve_shrink(Client& client) {
  const auto reply = client.approve_shrink();
  if (!reply) return fail(reply.error());
  std::cout << "approved: " << reply->approved() << "; takes effect in a few seconds\n";
  return kOk;
}

int capture(Client& client, v1::CaptureRequest request, Duration length, Output output) {
  request.set_id(std::to_string(random_seed()));
  v1::CaptureReply all;
  std::uint64_t shown = 0;
  bool titled = false;
  for (bool ended = false; !ended;) {
    ended = request.stop();
    const auto reply = client.capture(request);
    if (!reply) return fail(reply.error());
    if (output == Output::Table) {
      if (!std::exchange(titled, true)) std::cout << capture_title();
      std::cout << capture_rows(*reply) << std::flush;
      if (!std::cout) return kFailed;  // nobody reads it any more
    }
    shown += static_cast<std::uint64_t>(reply->queries_size());
    const std::uint64_t missed = all.missed() + reply->missed();
    if (output != Output::Table) all.MergeFrom(*reply);
    all.set_missed(missed);
    request.set_stop(convert::from_wire(reply->elapsed()) >= length);
  }
  if (output != Output::Table) {
    std::cout << document(all, output);
  } else {
    std::cout << shown << (shown == 1 ? " query" : " queries");
    if (all.missed() > 0) std::cout << ", and at least " << all.missed() << " more that are not shown";
    std::cout << "\n";
  }
  return kOk;
}

}  // namespace meshdns::ctl
