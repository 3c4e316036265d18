/* Follows the quick start of wcodec.h and README.md: makes a container that holds a tensor of the name
 * "weights" and has load_tensor decode it. */

static unsigned char container[4096];
static size_t container_size;

static wcodec_status keep(void *user, const void *src, size_t size)
{
    (void)user;
    if (size > sizeof container - container_size) return WCODEC_E_IO;
    memcpy(container + container_size, src, size);
    container_size += size;
    return WCODEC_OK;
}

static wcodec_status make_container(const void *data, uint64_t count)
{
    wcodec_sink sink = { keep, NULL };
    wcodec_segment tensor;
    wcodec_writer *writer;
    wcodec_status status = wcodec_writer_open(&writer, &sink, NULL, NULL);
    memset(&tensor, 0, sizeof tensor);
    tensor.name = "weights";
    tensor.name_size = 7;
    tensor.dtype = WCODEC_F32;
    tensor.rank = 1;
    tensor.shape = &count;
    tensor.size = count * 4;
    if (status == WCODEC_OK) status = wcodec_writer_original(writer, "test", 4, 1, NULL);
    if (status == WCODEC_OK) status = wcodec_writer_segment(writer, &tensor, NULL);
    if (status == WCODEC_OK) status = wcodec_writer_data(writer, data, (size_t)tensor.size, NULL);
    if (status == WCODEC_OK) status = wcodec_writer_finish(writer, NULL);
    wcodec_writer_close(writer);
    return status;
}

int main(void)
{
    const float weights[5] = { 0.5f, -0.25f, 3.0f, 0.0f, -1e-9f };
    float back[5];
    if (make_container(weights, 5) != WCODEC_OK) return 1;
    if (load_tensor(container, container_size, "weights", back, sizeof back) != WCODEC_OK) return 2;
    if (memcmp(weights, back, sizeof back) != 0) return 3;
    if (load_tensor(container, container_size, "other", back, sizeof back) != WCODEC_E_NOT_FOUND) return 4;
    if (load_tensor(container, container_size, "weights", back, 8) != WCODEC_E_NO_SPACE) return 5;
    if (load_tensor(container, 20, "weights", back, sizeof back) >= 0) return 6;
    return 0;
}
