"""documents: relative links of Markdown files lead to files, and to headings where they name one."""

import re
from urllib.parse import unquote

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)|!\[[^\]]*\]\(([^)\s]+)\)")


def slug(heading):
    """A heading's anchor, as the common forges make it."""
    heading = re.sub(r"`([^`]*)`", r"\1", heading.strip().lower())
    heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def anchors(text):
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    return {slug(match.group(1)) for match in re.finditer(r"^#{1,6}\s+(.+?)\s*#*$", prose, re.M)}


def check(root, paths, report):
    for path in paths:
        text = (root / path).read_text(encoding="utf-8")
        in_fence = False
        for number, line in enumerate(text.split("\n"), 1):
            if line.lstrip().startswith("```"):
                in_fence = not in_fence
            if in_fence:
                continue
            for match in LINK.finditer(re.sub(r"`[^`]*`", "", line)):
                target = match.group(1) or match.group(2)
                if re.match(r"[a-z][a-z0-9+.-]*:", target):
                    continue
                file, _, anchor = unquote(target).partition("#")
                destination = (root / path).parent / file if file else root / path
                if not destination.exists():
                    report(path, number, f"the link {target} leads nowhere")
                elif anchor and destination.suffix == ".md" and anchor not in anchors(
                        destination.read_text(encoding="utf-8")):
                    report(path, number, f"the link {target} names no heading there")
