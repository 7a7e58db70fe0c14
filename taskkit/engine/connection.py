"""The connection to one endpoint: the client of the OpenAI SDK, and the only place that knows it.

The SDK's client gives what it is good for: the address, keys, organisation, headers, timeouts and its own fast
transport. What an endpoint can do with the connection is bounded. It has `timeout` seconds for a whole answer, in a
stream for each thing that it says: what only keeps the line open does not count. What it sends is read up to a size.
A redirect is followed a few times where it stays with the same server, and never to another: the prompt and the key
are meant for the address that was given. Every failure becomes one of our errors, or a `Transient`."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from taskkit.engine.endpoint import is_here
from taskkit.engine.failures import masked
from taskkit.engine.pace import TRIES, Transient
from taskkit.engine.wire import duration, short
from taskkit.errors import ConfigurationError, EndpointError, TaskkitError
from taskkit.settings import shown

if TYPE_CHECKING:
    from openai import AsyncOpenAI

Told = Callable[..., None]  # Pace.told
Way = tuple[Any, Callable[[Any], Awaitable[Any]]]  # a request, to be filled, and what sends it

NONSENSE_TRIES = 3  # of what is no answer: another address than that of an endpoint gives it for ever
REDIRECTS = 4  # that one call follows
CONNECT = 15.0  # seconds
ERROR_BYTES = 65_536  # of a refusal, beyond which nobody reads on


def nonsense(where: str, why: str) -> Transient:
    """What came is no answer; it may have been charged for."""
    error = EndpointError(
        f"{where} sent an answer that is none: {why[:200]}.", hint="Is it an OpenAI-compatible endpoint (…/v1)?"
    )
    return Transient(error, billed=True, tries=NONSENSE_TRIES)


@contextlib.contextmanager
def reading(where: str, key: str) -> Iterator[None]:
    """Around all that reads what an endpoint said, which may be anything: whatever goes wrong with it is the
    endpoint's error."""
    try:
        yield
    except (TaskkitError, Transient):
        raise
    except Exception as error:
        raise nonsense(where, masked(str(error) if isinstance(error, ValueError) else repr(error), key)) from error


def _through_http(transport: Any) -> Any:
    """Any other proxy would be spoken to as if it were one of HTTP."""
    proxy = getattr(transport, "proxy", None)
    if proxy is not None and (scheme := str(proxy.url.scheme)) not in {"http", "https"}:
        raise ConfigurationError(
            f"The proxy of the environment is one of {scheme}, which can not be used.",
            hint="Set HTTPS_PROXY to one of http, or NO_PROXY to the endpoint's host.",
        )
    return transport


def _no_proxy() -> ConfigurationError:
    """For an address that the client can not read: what it says of it may be of the password."""
    named = [name for name in os.environ if name.lower() in {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}]
    return ConfigurationError(
        f"The proxy of the environment ({', '.join(named)}) has no address that can be read.",
        hint="It looks like http://user:password@host:8080, with %23 for a # and %2F for a / in the password.",
    )


def _filled(empty: Any, url: Any, content: bytes) -> Any:
    """A request like `empty`, to `url`, with `content`."""
    request = type(empty)(
        empty.method, url, headers=empty.headers, stream=type(empty.stream)(content), extensions=empty.extensions
    )
    request.headers.encoding = empty.headers.encoding  # not found out anew
    request.read()
    return request


class Answer:
    """An answer whose head has come."""

    def __init__(self, connection: "Connection", response: Any, clock: asyncio.Timeout, most: int) -> None:
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self._connection = connection
        self._response = response
        self._clock = clock
        self._most = most

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes, up to the size that it may have."""
        size = 0
        try:
            async for piece in self._response.aiter_bytes():
                size += len(piece)
                if size > self._most:
                    raise self._connection.endless(size)
                yield piece
        except Transient:
            raise
        except Exception as error:
            raise self._connection.broken(error) from error

    async def whole(self) -> bytes:
        """The body; of a refusal its beginning."""
        parts: list[bytes] = []
        size = 0
        async for piece in self.pieces():
            parts.append(piece)
            size += len(piece)
            if self.status >= 400 and size > ERROR_BYTES:
                break
        return b"".join(parts)

    def said_something(self) -> None:
        """The time that an answer has begins anew."""
        self._clock.reschedule(asyncio.get_running_loop().time() + self._connection.timeout)


class Connection:
    """`told` is given the limits that the headers of each answer name."""

    def __init__(self, base_url: str, api_key: str, *, organization: str, timeout: float, told: Told) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeout = timeout
        self._key = api_key
        self._organization = organization
        self._told = told
        self._client: AsyncOpenAI | None = None
        self._http: Any = None
        self._ways: dict[tuple[str, str], Way] = {}
        self._patience = 4  # tries of what finds nobody there; once it has answered, as many as of any fault
        self._clocks: set[asyncio.Timeout] = set()  # of what is on its way
        self._closed = False

    def _open(self) -> None:
        if self._closed:
            raise self._was_closed()
        if self._http is None:
            from openai import AsyncOpenAI, DefaultAioHttpClient, Timeout

            through = not is_here(urlsplit(self.base_url).hostname or "")  # what is for this machine stays on it
            try:
                self._http = DefaultAioHttpClient(
                    timeout=Timeout(None, connect=min(CONNECT, self.timeout)),  # for the rest there is `answer`'s clock
                    trust_env=through,
                )
            except Exception as error:
                if through and (isinstance(error, ValueError) or type(error).__name__ == "InvalidURL"):
                    raise _no_proxy() from None
                raise
            self._client = AsyncOpenAI(
                api_key=self._key,
                base_url=self.base_url,
                organization=self._organization or None,
                http_client=self._http,
                max_retries=0,
            )
            client = self._client
            headers = {**client.default_headers, **client.auth_headers, "Content-Type": "application/json"}
            self._http.headers.update(  # on the client: they are laid together once, not for each call
                {
                    name: value
                    for name, value in headers.items()
                    if isinstance(value, str) and not name.lower().startswith("x-stainless-")
                }
            )

    def _way(self, method: str, path: str) -> Way:
        """The request as the client builds it, once (to build one is a tenth of a call's time), and what sends it: the
        client's own transport, as cookies, redirects and ways to sign on take as long as the transport itself."""
        if (method, path) not in self._ways:
            request = self._http.build_request(method, self.base_url + path, content=b"")
            request.headers.pop("content-length", None)  # the transport's to say
            straight = getattr(self._http, "_transport_for_url", None)
            if straight is None:
                self._ways[method, path] = request, partial(self._http.send, stream=True, follow_redirects=False)
            else:
                self._ways[method, path] = request, _through_http(straight(request.url)).handle_async_request
        return self._ways[method, path]

    @contextlib.asynccontextmanager
    async def answer(self, path: str, content: bytes | None, most: int) -> AsyncIterator[Answer]:
        """What comes back for `content`, or for nothing; of up to `most` bytes."""
        self._open()
        response: Any = None
        clock = asyncio.timeout(self.timeout)
        self._clocks.add(clock)
        try:
            async with clock:
                try:
                    response = await self._sent(path, content)
                    yield Answer(self, response, clock, most)
                finally:
                    if response is not None:
                        with contextlib.suppress(Exception):
                            await response.aclose()
        except TimeoutError as error:
            if not clock.expired():
                raise
            raise (self._was_closed() if self._closed else self._too_late()) from error
        finally:
            self._clocks.discard(clock)

    async def _sent(self, path: str, content: bytes | None) -> Any:
        empty, send = self._way("GET" if content is None else "POST", path)
        url = empty.url
        for _ in range(REDIRECTS + 1):
            try:
                response = await send(_filled(empty, url, content or b""))
            except Exception as error:
                raise self.broken(error) from error
            self._patience = TRIES
            self._tell(response.headers)
            if not 300 <= response.status_code < 400:
                return response
            await response.aclose()
            url = self._following(url, response)
        raise EndpointError(
            f"{self.base_url} redirects, and redirects again, {REDIRECTS + 1} times (to {self._shown(url)[:200]}).",
            hint="Is the address (--base-url) right?",
        )

    def _following(self, url: Any, response: Any) -> Any:
        """Where a redirect leads, if that is the same server and wants the same request."""
        said = str(response.headers.get("location", ""))
        try:
            to = url.join(said)
            same = (to.scheme, to.host, to.port, to.userinfo) == (url.scheme, url.host, url.port, url.userinfo)
        except Exception:  # noqa: BLE001 - no address at all
            same, to = False, said
        if said and not same:
            raise ConfigurationError(
                f"{self.base_url} redirects to {self._shown(to)[:200]}, which is another server: nothing was sent there.",
                hint="If that is the endpoint that you mean, give its address (--base-url).",
            )
        if not said or response.status_code not in {301, 302, 307, 308}:
            raise nonsense(self.base_url, f"status {response.status_code}, {self._shown(said) or 'to nowhere'}")
        return to

    def _shown(self, url: Any) -> str:
        return masked(shown(str(url)), self._key)

    def _tell(self, headers: Mapping[str, str]) -> None:
        """`x-ratelimit-*`, where an endpoint sends them."""
        for kind in ("requests", "tokens"):
            if (limit := headers.get(f"x-ratelimit-limit-{kind}")) is None:
                continue
            with contextlib.suppress(ValueError, TypeError):
                remaining = float(headers.get(f"x-ratelimit-remaining-{kind}", limit))
                reset = duration(headers.get(f"x-ratelimit-reset-{kind}", "60s"))
                self._told(kind, limit=float(limit), remaining=remaining, reset=reset)

    def _was_closed(self) -> EndpointError:
        return EndpointError(f"The engine was closed while it was at work with {self.base_url}.")

    def _too_late(self) -> Transient:
        return Transient(EndpointError(f"{self.base_url} did not answer in {self.timeout:g} seconds."), billed=True)

    def endless(self, size: int) -> Transient:
        said = f"An answer of {self.base_url} does not come to an end: {size / 1e6:.0f} MB came of it."
        return Transient(EndpointError(said), billed=True, tries=NONSENSE_TRIES)

    def broken(self, error: Exception) -> Exception:
        """What the client raised, as one of ours. What was sent may have been worked on, and charged, however little
        came back."""
        names = {cls.__name__ for cls in type(error).__mro__}
        if "UnsupportedProtocol" in names or "InvalidURL" in names:
            return ConfigurationError(f"{self.base_url} is no usable address: {error}.")
        if "ProxyError" in names:
            said = f"The proxy of the environment would not connect to {self.base_url} ({masked(short(error), self._key)})."
            return Transient(EndpointError(said, hint="Is it the right one, and does it know you?"), tries=2)
        if "TimeoutException" in names and "ConnectTimeout" not in names:
            return self._too_late()
        causes = {cls.__name__ for cls in type(error.__cause__ or error.__context__).__mro__}
        if "ServerDisconnectedError" in causes:  # comes as a connection that was never there
            said = f"{self.base_url} closed the connection before its answer."
            return Transient(EndpointError(said), billed=True, tries=self._patience)
        if {"ConnectError", "ConnectTimeout"} & names:  # a refused connection comes as either
            return Transient(
                EndpointError(
                    f"{self.base_url} can not be reached ({short(error)}).",
                    hint="Is it running, and is the address (--base-url) right?",
                ),
                tries=self._patience,
            )
        if {"TransportError", "OSError", "StreamError"} & names:
            return Transient(EndpointError(f"The connection to {self.base_url} broke ({short(error)})."), billed=True)
        return nonsense(self.base_url, masked(f"{type(error).__name__}: {error}", self._key))

    async def close(self) -> None:
        """For good: what is on its way ends with an error, and nothing is opened again."""
        self._closed = True
        for clock in self._clocks:  # the client would leave them waiting
            clock.reschedule(asyncio.get_running_loop().time())
        client, self._client, self._http = self._client, None, None
        if client is not None:
            await client.close()
