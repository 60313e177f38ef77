#include "ceremony/script/pattern.h"

#include <fmt/format.h>

#include <cctype>
#include <cstdint>
#include <utility>
#include <vector>

#include "ceremony/script/visible_text.h"
#include "hsm/base/utf8.h"

namespace ceremony::script {
namespace {

constexpr std::size_t kMaxStates = 4096;
constexpr unsigned kMaxCount = 256;
constexpr unsigned kUnlimited = UINT32_MAX;

struct Range {
  char32_t first;
  char32_t last;
};

struct CharacterClass {
  bool negated = false;
  std::vector<Range> ranges;

  bool Has(char32_t point) const {
    for (const Range& range : ranges) {
      if (point >= range.first && point <= range.last) return !negated;
    }
    return negated;
  }
};

// Expression is what was read: one character class, a sequence, a choice, or a
// repetition of its only child.
struct Expression {
  enum class Kind : std::uint8_t { kClass, kSequence, kChoice, kRepeat } kind = Kind::kSequence;
  std::uint32_t characters = 0;  // of kClass: which class of the program
  std::vector<Expression> children;
  unsigned minimum = 0;
  unsigned maximum = 0;
};

}  // namespace

// A Thompson automaton: a state consumes a character and goes to `next`, or
// splits without consuming into `next` and `other`, or accepts.
struct Pattern::Program {
  enum class Kind : std::uint8_t { kConsume, kSplit, kAccept };
  struct State {
    Kind kind = Kind::kAccept;
    std::uint32_t next = 0;
    std::uint32_t other = 0;
    std::uint32_t characters = 0;  // of kConsume: which class
  };
  std::vector<State> states;
  std::vector<CharacterClass> classes;  // one for each in the text; states that a count repeats share it
  std::uint32_t start = 0;
};

class PatternCompiler final {
 public:
  explicit PatternCompiler(std::string_view text) : text_(text) {}

  base::Result<Pattern> Compile() {
    if (text_.size() > Pattern::kMaxLength) {
      return base::MakeError(
          base::ErrorCode::kInvalidInput,
          fmt::format("expected a pattern of at most {} bytes, found {}", Pattern::kMaxLength, text_.size()));
    }
    auto program = std::make_shared<Pattern::Program>();
    program_ = program.get();
    Expression whole;
    KC_RETURN_IF_ERROR(ReadChoice(whole));
    if (at_ < text_.size()) return Fail("a `)` that closes nothing");
    program->states.push_back({});
    program->start = Emit(whole, 0);
    if (is_too_large_) {
      return base::MakeError(
          base::ErrorCode::kInvalidInput,
          fmt::format("expected a pattern of at most {} states, found more: its counts multiply", kMaxStates));
    }
    return Pattern(std::string(text_), std::move(program));
  }

 private:
  base::Error Fail(const std::string& found) const {
    return base::MakeError(
        base::ErrorCode::kInvalidInput,
        fmt::format("expected a pattern, found {} at character {}", found, CountCharacters(text_.substr(0, at_)) + 1));
  }

  bool AtEnd() const { return at_ >= text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }

  base::Result<void> ReadChoice(Expression& out) {
    out.kind = Expression::Kind::kChoice;
    while (true) {
      Expression sequence;
      KC_RETURN_IF_ERROR(ReadSequence(sequence));
      out.children.push_back(std::move(sequence));
      if (Peek() != '|' || AtEnd()) return {};
      ++at_;
    }
  }

  base::Result<void> ReadSequence(Expression& out) {
    out.kind = Expression::Kind::kSequence;
    while (!AtEnd() && Peek() != '|' && Peek() != ')') {
      Expression atom;
      KC_RETURN_IF_ERROR(ReadAtom(atom));
      KC_RETURN_IF_ERROR(ReadCount(atom));
      out.children.push_back(std::move(atom));
    }
    // Something empty could be repeated without end and without a state.
    if (out.children.empty()) return Fail("nothing where something must stand");
    return {};
  }

  base::Result<void> ReadAtom(Expression& out) {
    if (Peek() != '(') {
      out.kind = Expression::Kind::kClass;
      out.characters = static_cast<std::uint32_t>(program_->classes.size());
      return ReadCharacters(program_->classes.emplace_back());
    }
    const std::size_t opened = at_++;
    if (Peek() == '?') return Fail("`(?`, which this kind of pattern does not know");
    KC_RETURN_IF_ERROR(ReadChoice(out));
    if (AtEnd()) {
      at_ = opened;
      return Fail("a `(` that is never closed");
    }
    ++at_;
    return {};
  }

  base::Result<void> ReadCharacters(CharacterClass& out) {
    const char c = Peek();
    switch (c) {
      case '[':
        return ReadClass(out);
      case '.':
        ++at_;
        out = {true, {{'\n', '\n'}}};
        return {};
      case '\\':
        return ReadEscape(out.ranges);
      case '^':
      case '$':
        return Fail(fmt::format("`{}`: the whole text must match anyway", c));
      case '?':
      case '*':
      case '+':
        return Fail(fmt::format("`{}` with nothing before it to count", c));
      case '{':
      case '}':
      case ']':
        return Fail(fmt::format("`{0}`: write `\\{0}` for the character", c));
      default: {
        const char32_t point = base::NextCodePoint(text_, at_);
        out.ranges.push_back({point, point});
        return {};
      }
    }
  }

  base::Result<void> ReadEscape(std::vector<Range>& out) {
    const std::size_t start = at_++;
    const char c = Peek();
    if (!AtEnd() && c == 'd') {
      out.push_back({'0', '9'});
    } else if (!AtEnd() && std::ispunct(static_cast<unsigned char>(c)) != 0) {
      const auto point = static_cast<char32_t>(static_cast<unsigned char>(c));
      out.push_back({point, point});
    } else {
      at_ = start;
      return Fail("a `\\` before something other than `d` or a punctuation character");
    }
    ++at_;
    return {};
  }

  base::Result<void> ReadClass(CharacterClass& out) {
    const std::size_t opened = at_++;
    if (Peek() == '^') {
      out.negated = true;
      ++at_;
    }
    while (!AtEnd() && Peek() != ']') {
      KC_RETURN_IF_ERROR(ReadClassMember(out.ranges));
      if (Peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        if (out.ranges.back().first != out.ranges.back().last)
          return Fail("a range that begins with more than one character");
        ++at_;
        std::vector<Range> end;
        KC_RETURN_IF_ERROR(ReadClassMember(end));
        if (end.back().first != end.back().last) return Fail("a range that ends with more than one character");
        if (end.back().first < out.ranges.back().first) return Fail("a range that runs backwards");
        out.ranges.back().last = end.back().first;
      }
    }
    if (AtEnd()) {
      at_ = opened;
      return Fail("a `[` that is never closed");
    }
    if (out.ranges.empty()) return Fail("a class with no characters");
    ++at_;
    return {};
  }

  base::Result<void> ReadClassMember(std::vector<Range>& out) {
    if (Peek() == '\\') return ReadEscape(out);
    if (Peek() == '[') return Fail("`[` in a class: write `\\[`");
    const char32_t point = base::NextCodePoint(text_, at_);
    out.push_back({point, point});
    return {};
  }

  base::Result<void> ReadCount(Expression& atom) {
    unsigned minimum = 0;
    unsigned maximum = kUnlimited;
    switch (Peek()) {
      case '?':
        maximum = 1;
        ++at_;
        break;
      case '*':
        ++at_;
        break;
      case '+':
        minimum = 1;
        ++at_;
        break;
      case '{': {
        ++at_;
        KC_ASSIGN_OR_RETURN(minimum, ReadNumber());
        maximum = minimum;
        if (Peek() == ',') {
          ++at_;
          maximum = kUnlimited;
          if (Peek() != '}') {
            KC_ASSIGN_OR_RETURN(maximum, ReadNumber());
          }
        }
        if (Peek() != '}') return Fail("a count that is not closed by `}`");
        if (maximum == 0 || maximum < minimum) return Fail("a count that allows nothing");
        ++at_;
        break;
      }
      default:
        return {};
    }
    constexpr std::string_view kCounts = "?*+{";
    if (!AtEnd() && kCounts.find(Peek()) != std::string_view::npos) return Fail("two counts in a row");
    Expression repeat;
    repeat.kind = Expression::Kind::kRepeat;
    repeat.minimum = minimum;
    repeat.maximum = maximum;
    repeat.children.push_back(std::move(atom));
    atom = std::move(repeat);
    return {};
  }

  base::Result<unsigned> ReadNumber() {
    unsigned number = 0;
    const std::size_t start = at_;
    while (!AtEnd() && std::isdigit(static_cast<unsigned char>(Peek())) != 0) {
      number = number * 10 + static_cast<unsigned>(Peek() - '0');
      if (number > kMaxCount) return Fail(fmt::format("a count above {}", kMaxCount));
      ++at_;
    }
    if (at_ == start) return Fail("a count that is not a number");
    return number;
  }

  std::uint32_t Add(Pattern::Program::State state) {
    if (program_->states.size() >= kMaxStates) {
      is_too_large_ = true;
      return 0;
    }
    program_->states.push_back(state);
    return static_cast<std::uint32_t>(program_->states.size() - 1);
  }

  // Emit builds the states of an expression backwards: they lead to `next`.
  std::uint32_t Emit(const Expression& expression, std::uint32_t next) {
    using Kind = Pattern::Program::Kind;
    if (is_too_large_) return 0;
    switch (expression.kind) {
      case Expression::Kind::kClass:
        return Add({Kind::kConsume, next, 0, expression.characters});
      case Expression::Kind::kSequence:
        for (auto child = expression.children.rbegin(); child != expression.children.rend(); ++child)
          next = Emit(*child, next);
        return next;
      case Expression::Kind::kChoice: {
        std::uint32_t start = Emit(expression.children.back(), next);
        for (std::size_t i = expression.children.size() - 1; i-- > 0;) {
          const std::uint32_t branch = Emit(expression.children[i], next);
          start = Add({Kind::kSplit, branch, start, 0});
        }
        return start;
      }
      case Expression::Kind::kRepeat: {
        const Expression& body = expression.children.front();
        std::uint32_t start = next;
        if (expression.maximum == kUnlimited) {
          const std::uint32_t loop = Add({Kind::kSplit, next, next, 0});
          const std::uint32_t again = Emit(body, loop);
          if (is_too_large_) return 0;
          program_->states[loop].next = again;
          start = loop;
        } else {
          for (unsigned i = expression.minimum; i < expression.maximum && !is_too_large_; ++i) {
            const std::uint32_t once = Emit(body, start);
            start = Add({Kind::kSplit, once, next, 0});
          }
        }
        for (unsigned i = 0; i < expression.minimum && !is_too_large_; ++i) start = Emit(body, start);
        return start;
      }
    }
    return next;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Pattern::Program* program_ = nullptr;
  bool is_too_large_ = false;
};

Pattern::Pattern(std::string text, std::shared_ptr<const Program> program)
    : text_(std::move(text)), program_(std::move(program)) {}

base::Result<Pattern> Pattern::Parse(std::string_view text) { return PatternCompiler(text).Compile(); }

bool Pattern::Matches(std::string_view text) const {
  const auto& states = program_->states;
  std::vector<std::uint32_t> current;
  std::vector<std::uint32_t> following;
  std::vector<std::uint32_t> stack;
  std::vector<std::uint32_t> seen(states.size(), 0);  // the round in which a state was last entered
  std::uint32_t round = 0;

  const auto enter = [&](std::uint32_t state, std::vector<std::uint32_t>& set) {
    while (true) {
      const bool is_new = seen[state] != round;
      seen[state] = round;
      if (is_new && states[state].kind == Program::Kind::kSplit) {
        stack.push_back(states[state].other);
        state = states[state].next;
        continue;
      }
      if (is_new) set.push_back(state);
      if (stack.empty()) return;
      state = stack.back();
      stack.pop_back();
    }
  };

  ++round;
  enter(program_->start, current);
  for (std::size_t offset = 0; offset < text.size();) {
    const char32_t point = base::NextCodePoint(text, offset);
    ++round;
    following.clear();
    for (const std::uint32_t state : current) {
      if (states[state].kind == Program::Kind::kConsume && program_->classes[states[state].characters].Has(point))
        enter(states[state].next, following);
    }
    std::swap(current, following);
    if (current.empty()) return false;
  }
  for (const std::uint32_t state : current) {
    if (states[state].kind == Program::Kind::kAccept) return true;
  }
  return false;
}

}  // namespace ceremony::script
