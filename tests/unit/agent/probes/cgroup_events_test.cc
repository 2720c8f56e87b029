#include "agent/probes/cgroup_events.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>

#include "agent/probes/cgroup_path.h"

namespace meshdns::probes {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUid = "d5ff7936-b68a-41a7-99ce-451ac3249091";
constexpr const char* kId = "containerd://f00d";
constexpr const char* kFolder =
    "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podd5ff7936_b68a_41a7_99ce_451ac3249091.slice/"
    "cri-containerd-f00d.scope";

/// A folder that looks like the mount point of cgroup v2.
class CgroupTree {
 public:
  CgroupTree() : root_(fs::path(testing::TempDir()) / ("cgroup_events_test_" + std::to_string(getpid()))) {
    fs::remove_all(root_);
    fs::create_directories(root_);
    std::ofstream(root_ / "cgroup.controllers") << "\n";
  }
  ~CgroupTree() { fs::remove_all(root_); }

  std::string root() const { return root_.string(); }
  void add(const std::string& folder, bool populated = true) {
    fs::create_directories(root_ / folder);
    populate(folder, populated);
  }
  void populate(const std::string& folder, bool populated) {
    std::ofstream(root_ / folder / "cgroup.events") << "populated " << (populated ? 1 : 0) << "\nfrozen 0\n";
  }
  void remove(const std::string& folder) { fs::remove_all(root_ / folder); }

 private:
  fs::path root_;
};

TEST(CgroupPath, the_name_of_a_container_has_no_runtime) {
  EXPECT_EQ(container_name("containerd://f00d"), "f00d");
  EXPECT_EQ(container_name("cri-o://f00d"), "f00d");
  EXPECT_EQ(container_name(""), "");
  EXPECT_EQ(container_name("f00d"), "");
  EXPECT_EQ(container_name("containerd://"), "");
  EXPECT_EQ(container_name("containerd://../../secret"), "");
}

TEST(CgroupPath, the_folder_of_a_container) {
  for (const char* folder :
       {"f00d", "cri-containerd-f00d.scope", "crio-f00d.scope", "crio-f00d", "docker-f00d.scope"}) {
    EXPECT_TRUE(is_container_folder(folder, "f00d")) << folder;
  }
  for (const char* folder : {"crio-conmon-f00d.scope", "f00", "f00de", "cri-containerd-f00d.slice", ""}) {
    EXPECT_FALSE(is_container_folder(folder, "f00d")) << folder;
  }
  EXPECT_FALSE(is_container_folder("crio-", ""));
}

// Layouts of containerd and CRI-O, with the drivers systemd and cgroupfs, and of a kubelet inside a container (kind).
TEST(CgroupPath, finds_the_layouts_of_kubelets) {
  const std::string slices =
      "kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podd5ff7936_b68a_41a7_99ce_451ac3249091.slice/";
  const std::vector<std::string> layouts = {
      kFolder,
      slices + "crio-f00d.scope",
      "kubepods.slice/kubepods-podd5ff7936_b68a_41a7_99ce_451ac3249091.slice/cri-containerd-f00d.scope",
      "kubepods/burstable/podd5ff7936-b68a-41a7-99ce-451ac3249091/f00d",
      "kubepods/podd5ff7936-b68a-41a7-99ce-451ac3249091/crio-f00d",
      "kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"
      "kubelet-kubepods-burstable-podd5ff7936_b68a_41a7_99ce_451ac3249091.slice/cri-containerd-f00d.scope",
      // a static pod, whose uid is another one here, below a root of its own
      "site.slice/site-kubepods.slice/site-kubepods-pod0123.slice/cri-containerd-f00d.scope",
  };
  for (const std::string& layout : layouts) {
    CgroupTree tree;
    tree.add("kubepods/burstable/pod11111111-b68a-41a7-99ce-451ac3249091/bad");
    tree.add("system.slice/containerd.service");
    tree.add(slices + "crio-conmon-f00d.scope");
    tree.add(layout);
    EXPECT_EQ(find_cgroup(tree.root(), kUid, "f00d"), tree.root() + "/" + layout);
  }
}

TEST(CgroupPath, says_that_there_is_none) {
  CgroupTree tree;
  tree.add(kFolder);
  EXPECT_EQ(find_cgroup(tree.root(), kUid, "beef"), std::nullopt);
  EXPECT_EQ(find_cgroup(tree.root(), "", "f00d"), tree.root() + "/" + kFolder);
  EXPECT_EQ(find_cgroup(tree.root() + "/nowhere", kUid, "f00d"), std::nullopt);
}

TEST(SaysEmpty, reads_the_line_of_populated) {
  EXPECT_TRUE(says_empty("populated 0\nfrozen 0\n"));
  EXPECT_TRUE(says_empty("frozen 0\npopulated 0"));
  EXPECT_FALSE(says_empty("populated 1\nfrozen 0\n"));
  EXPECT_FALSE(says_empty("populated 01\n"));
  EXPECT_FALSE(says_empty(""));
}

class CgroupEventsTest : public testing::Test {
 protected:
  void open(const std::string& root) {
    auto events = CgroupEvents::open(loop_, root, [this](const std::string& id) {
      ended_.push_back(id);
      loop_.stop();
    });
    ASSERT_TRUE(events) << events.error().message();
    events_ = std::move(*events);
  }

  /// Runs the loop until a container has ended; false = none has within `patience`.
  bool wait(Duration patience = 120s) {
    const std::size_t before = ended_.size();
    const auto timer = loop_.after(patience, [this] { loop_.stop(); });
    loop_.run();
    loop_.restart();
    loop_.cancel(timer);
    return ended_.size() > before;
  }

  CgroupTree tree_;
  process::EventLoop loop_;
  std::vector<std::string> ended_;
  std::unique_ptr<CgroupEvents> events_;
};

TEST_F(CgroupEventsTest, reports_a_container_that_ends_once) {
  tree_.add(kFolder);
  open(tree_.root());
  ASSERT_TRUE(events_->watch(kUid, kId));
  ASSERT_TRUE(events_->watch(kUid, kId)) << "it is watched already";
  EXPECT_EQ(events_->watched(), 1U);
  tree_.populate(kFolder, true);
  EXPECT_FALSE(wait(20ms)) << "a change of something else";
  tree_.populate(kFolder, false);
  ASSERT_TRUE(wait());
  EXPECT_EQ(ended_, std::vector<std::string>{kId});
  EXPECT_EQ(events_->watched(), 0U);
}

// The processes of gVisor's containers are in another cgroup: the container's own is empty while they run.
TEST_F(CgroupEventsTest, a_cgroup_that_is_empty_from_the_beginning_says_nothing) {
  tree_.add(kFolder, false);
  open(tree_.root());
  const auto watched = events_->watch(kUid, kId);
  ASSERT_FALSE(watched);
  EXPECT_EQ(watched.error().code(), Code::NotFound);
  EXPECT_EQ(events_->watched(), 0U);
  EXPECT_FALSE(wait(20ms));
}

TEST_F(CgroupEventsTest, a_cgroup_that_is_removed_has_ended) {
  tree_.add(kFolder);
  open(tree_.root());
  ASSERT_TRUE(events_->watch(kUid, kId));
  tree_.remove(kFolder);
  EXPECT_TRUE(wait());
}

TEST_F(CgroupEventsTest, each_container_is_reported_by_its_id) {
  const std::string other = "kubepods/burstable/podd5ff7936-b68a-41a7-99ce-451ac3249091/beef";
  tree_.add(kFolder);
  tree_.add(other);
  open(tree_.root());
  ASSERT_TRUE(events_->watch(kUid, kId));
  ASSERT_TRUE(events_->watch(kUid, "cri-o://beef"));
  tree_.populate(other, false);
  ASSERT_TRUE(wait());
  EXPECT_EQ(ended_, std::vector<std::string>{"cri-o://beef"});
  EXPECT_EQ(events_->watched(), 1U);
}

TEST_F(CgroupEventsTest, nothing_is_reported_that_is_not_watched) {
  tree_.add(kFolder);
  open(tree_.root());
  ASSERT_TRUE(events_->watch(kUid, kId));
  events_->unwatch(kId);
  events_->unwatch("containerd://unknown");
  tree_.populate(kFolder, false);
  EXPECT_FALSE(wait(20ms));
  tree_.populate(kFolder, true);
  ASSERT_TRUE(events_->watch(kUid, kId));
  tree_.populate(kFolder, false);
  events_.reset();
  EXPECT_FALSE(wait(20ms)) << "after its end";
}

TEST_F(CgroupEventsTest, says_what_it_cannot_watch) {
  open(tree_.root());
  EXPECT_EQ(events_->watch(kUid, "f00d").error().code(), Code::InvalidArgument);
  EXPECT_EQ(events_->watch(kUid, kId).error().code(), Code::NotFound);
  const auto none = CgroupEvents::open(loop_, tree_.root() + "/nowhere", [](const std::string&) {});
  EXPECT_EQ(none.error().code(), Code::Unimplemented);
}

/// Returns the mount point of cgroup v2; nothing = there is none.
std::optional<std::string> cgroup_mount() {
  std::ifstream mounts("/proc/self/mounts");
  for (std::string device, where, type, rest; mounts >> device >> where >> type && std::getline(mounts, rest);) {
    if (type == "cgroup2") return where;
  }
  return std::nullopt;
}

/// A cgroup of the kernel's, with one process that waits to be killed.
class RealCgroup {
 public:
  explicit RealCgroup(const std::string& mount)
      : root(mount + "/meshdns_test_" + std::to_string(getpid())), folder(root + "/kubepods/f00d") {
    std::error_code denied;
    fs::create_directories(folder, denied);
    process_ = fork();
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      pause();
      _exit(0);
    }
    std::ofstream procs(folder + "/cgroup.procs");
    procs << process_ << std::flush;
    usable = !denied && procs.good();
  }
  ~RealCgroup() {
    kill();
    std::error_code ignored;
    for (const char* below : {"/kubepods/f00d", "/kubepods", ""}) fs::remove(root + below, ignored);
  }
  RealCgroup(const RealCgroup&) = delete;
  RealCgroup& operator=(const RealCgroup&) = delete;

  void kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = -1;
  }

  std::string root;
  std::string folder;
  bool usable = false;

 private:
  pid_t process_ = -1;
};

TEST_F(CgroupEventsTest, a_killed_process_of_a_real_cgroup_is_reported) {
  const auto mount = cgroup_mount();
  if (!mount) GTEST_SKIP() << "no cgroup v2";
  RealCgroup cgroup(*mount);
  if (!cgroup.usable) GTEST_SKIP() << *mount << " cannot be written";
  open(cgroup.root);
  ASSERT_TRUE(events_->watch(kUid, kId));
  EXPECT_FALSE(wait(20ms)) << "it lives";
  cgroup.kill();
  ASSERT_TRUE(wait());
  EXPECT_EQ(ended_, std::vector<std::string>{kId});
}

}  // namespace
}  // namespace meshdns::probes
