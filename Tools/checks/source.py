"""source: just enough of Swift to judge it line by line.

    let x = "a \\(b)" // why        code    let x = "   (b) "
                                    comment                       // why

1. `code` and `comments` have as many lines, and lines as long, as the text: positions agree.
2. String text is blank in `code`; the code inside an interpolation is kept.
3. A declaration's extent rests on swift-format's indentation: the line that ends a block is
   indented as the line that began it.
"""

import re

MODIFIER = (
    r"(?:@[\w.]+(?:\([^)]*\))?\s+|(?:public|package|internal|fileprivate|private|open|static|class|"
    r"final|override|mutating|nonmutating|borrowing|consuming|isolated|nonisolated|lazy|weak|"
    r"unowned|indirect|convenience|required|dynamic|prefix|postfix|infix)(?:\([^)]*\))?\s+)*"
)
FUNCTION = re.compile(
    r"^\s*" + MODIFIER + r"(func|init|deinit|subscript|var|let|get|set|_read|_modify|read|modify|"
    r"yielding|willSet|didSet|unsafeAddress|unsafeMutableAddress|addressor|mutableAddressor)\b")
TYPE = re.compile(r"^\s*" + MODIFIER + r"(struct|class|enum|actor|extension|protocol)\b")
ATTRIBUTE_LINE = re.compile(r"^\s*@\w+(?:<[^>]*>|\([^)]*\))*(?:\s+@\w+(?:<[^>]*>|\([^)]*\))*)*\s*$")


class Declaration:
    """A function, accessor, property or type: `first`...`last` are line indexes, the header is
    `first`..`body`."""

    def __init__(self, kind, first, body, last, text):
        self.kind, self.first, self.body, self.last, self.text = kind, first, body, last, text

    @property
    def is_function(self):
        return self.kind == "function"

    @property
    def line_count(self):
        return self.last - self.first + 1


class Source:
    """One Swift file: its raw lines, its code without strings and comments, its comments."""

    def __init__(self, path, text):
        self.path = path
        self.lines = text.split("\n")
        if self.lines and self.lines[-1] == "":
            self.lines.pop()
        code, comments, self.interpolations = split(text)
        self.code = code.split("\n")[: len(self.lines)]
        self.comments = comments.split("\n")[: len(self.lines)]
        self.declarations = self._declarations()

    def _declarations(self):
        """Every declaration with a braced body, outermost first."""
        found = []
        stack = []
        for index, line in enumerate(self.code):
            for column, character in enumerate(line):
                if character == "{":
                    stack.append((index, column))
                elif character == "}" and stack:
                    opened, at = stack.pop()
                    declaration = self._declaration(opened, at, index)
                    if declaration:
                        found.append(declaration)
        found.sort(key=lambda d: (d.first, -d.last))
        return found

    def _declaration(self, opened, at, last):
        header = self.code[opened][:at]
        first = opened
        if opened != last:
            indent = indentation(self.lines[last])
            # Walk up over a header of several lines to the line that has the block's indentation.
            while first > 0 and (
                indentation(self.lines[first]) != indent
                or not self.code[first].strip()
                or re.match(r"\s*(\)|\]|\{|where\b|->|throws\b)", self.code[first])
            ):
                first -= 1
            header = self.code[first]
        else:
            # `get { ... }` inside a line: what stands after the brace or semicolon before it.
            header = re.split(r"[{};]", header)[-1]
        # `let x = f { ... }` and `var x = { ... }()` are uses of closures, not bodies.
        match = FUNCTION.match(header)
        if match:
            word = match.group(1)
            if word in ("let", "var"):
                before = "\n".join(self.code[first:opened] + [self.code[opened][:at]])
                if word == "let" or "=" in re.sub(r"[=!<>]=|=>", "", before):
                    return None
            return Declaration("function", first, opened, last, header.strip())
        if TYPE.match(header):
            return Declaration("type", first, opened, last, header.strip())
        return None

    def functions_around(self, index):
        """The functions and accessors that contain line `index`, innermost first."""
        around = [d for d in self.declarations if d.is_function and d.first <= index <= d.last]
        return sorted(around, key=lambda d: d.line_count)

    def start_with_comments(self, first):
        """The first line of the block of comments and attributes directly above line `first`."""
        while first > 0:
            above = first - 1
            is_comment = not self.code[above].strip() and self.comments[above].strip()
            if not is_comment and not ATTRIBUTE_LINE.match(self.lines[above]):
                break
            first = above
        return first


def indentation(line):
    return len(line) - len(line.lstrip(" "))


def split(text):
    """(code, comments, line indexes of interpolations): each text blank where the other stands."""
    code, comments, interpolations = [], [], []
    position, line = 0, 0
    # What encloses the present position: ("string", hashes, multiline) or ("paren", depth).
    stack = []
    size = len(text)

    def put(character, into_code, into_comment=False):
        nonlocal line
        if character == "\n":
            line += 1
            code.append("\n")
            comments.append("\n")
        else:
            code.append(character if into_code else " ")
            comments.append(character if into_comment else " ")

    while position < size:
        if stack and stack[-1][0] == "string":
            _, hashes, multiline = stack[-1]
            end = ('"""' if multiline else '"') + "#" * hashes
            escape = "\\" + "#" * hashes
            if text.startswith(end, position):
                for character in end:
                    put(character, True)
                position += len(end)
                stack.pop()
            elif text.startswith(escape + "(", position):
                interpolations.append(line)
                for _ in escape:
                    put(" ", True)
                put("(", True)
                position += len(escape) + 1
                stack.append(["paren", 1])
            elif text.startswith(escape, position) and position + len(escape) < size:
                for character in text[position : position + len(escape) + 1]:
                    put(character, False)
                position += len(escape) + 1
            else:
                if text[position] == "\n" and not multiline:
                    stack.pop()  # An unterminated literal: recover at the line's end.
                put(text[position], False)
                position += 1
            continue
        if text.startswith("//", position):
            while position < size and text[position] != "\n":
                put(text[position], False, True)
                position += 1
            continue
        if text.startswith("/*", position):
            depth = 0
            while position < size:
                if text.startswith("/*", position):
                    depth, step = depth + 1, 2
                elif text.startswith("*/", position):
                    depth, step = depth - 1, 2
                else:
                    step = 1
                for character in text[position : position + step]:
                    put(character, False, True)
                position += step
                if depth == 0:
                    break
            continue
        opening = re.compile(r'(#*)("""|")').match(text, position)
        if opening:
            for character in opening.group(0):
                put(character, True)
            position = opening.end()
            stack.append(("string", len(opening.group(1)), opening.group(2) == '"""'))
            continue
        character = text[position]
        if stack and stack[-1][0] == "paren":
            if character == "(":
                stack[-1][1] += 1
            elif character == ")":
                stack[-1][1] -= 1
                if stack[-1][1] == 0:
                    stack.pop()
        put(character, True)
        position += 1
    return "".join(code), "".join(comments), set(interpolations)
